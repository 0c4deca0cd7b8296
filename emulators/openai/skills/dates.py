"""Days and dates, counted from this machine's date."""

import re
from datetime import date, timedelta

from emulators.openai.dialogue import Dialogue, Reply
from emulators.openai.phrases import capitalized, counted
from emulators.openai.skills.days import NamedDay, named_day, spoken_date

_HEAD = (
    r"(?:what|which)(?: (?:is|was|will be))?(?: the)?(?: current| exact)? "
    r"(?:day of the (?:week|month)|weekday|day|date)(?: (?:is|was|will|would|does|are))?"
)
_QUESTIONS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_HEAD}(?: (?:it|that|we))?(?: (?:is|was|be|have|fall on|of|on|for))*(?: (?P<day>.+))?",
        rf"(?P<day>.+?) {_HEAD}(?: it| that)?(?: is| was| be)?",
        r"(?:what|when) (?:is|was|will be|will) (?P<day>.+?)(?: be)?",
        r"(?:what|how) about (?P<day>.+)",
        r"(?:the |current )*date(?: of (?P<day>.+))?",
        r"what (?:is )?(?P<possessive>today|tomorrow|yesterday)'s (?:date|day)(?: is it)?",
        r"(?P<possessive>today|tomorrow|yesterday)'s (?:date|day)",
        r"(?P<day>today|tomorrow|yesterday|the day after tomorrow|the day before yesterday|in .+ (?:days?|weeks?))",
    )
)
_WEEKDAY = re.compile(
    r"(?:is|was|will) (?P<day>.+?)(?: be)? (?:a |on a )?(?P<weekday>(?:mon|tues|wednes|thurs|fri|satur|sun)day)"
)
_REVERSE = re.compile(
    r"is (?:it|that) (?P<weekday>(?:mon|tues|wednes|thurs|fri|satur|sun)day)(?: (?P<day>today|tomorrow))?"
)
_UNTIL = re.compile(
    r"how (?P<unit>many days|many weeks|long)(?: is it| are there| are left| left| is there| do we have)?"
    r" (?:until|till|til|to|before) (?P<day>.+)"
)
_PART = re.compile(
    r"what(?: is)?(?: the)?(?: current)? (?P<part>year|month|week)(?: is it| it is| is this| are we in)?(?: now)?"
)


def reply(dialogue: Dialogue) -> Reply | None:
    """The date of a day, its weekday, or how many days it is away."""
    question, today = (
        re.sub(r"(?<! from) (?:now|again|exactly|by the way)$", "", dialogue.question),
        dialogue.now.date(),
    )
    if part := _PART.fullmatch(question):
        return Reply(_part(part["part"], today))
    if until := _UNTIL.fullmatch(question):
        return _until(until["day"], until["unit"], today)
    if (check := _WEEKDAY.fullmatch(question)) or (check := _REVERSE.fullmatch(question)):
        return _checked(check["day"] or "today", check["weekday"], today)
    for pattern in _QUESTIONS:
        if match := pattern.fullmatch(question):
            words = match.groupdict()
            day = named_day(words.get("possessive") or words.get("day") or "today", today)
            if day is not None:
                return Reply(_described(day))
    return None


def _described(day: NamedDay) -> str:
    if set(day.name.split()) & set(re.findall(r"[A-Z]\w+", spoken_date(day.date))):
        return f"That {day.verb} {spoken_date(day.date)}."
    clock = ", by this machine's clock" if day.name == "today" else ""
    subject = day.name if day.named else f"{day.name} it"
    return f"{capitalized(subject)} {day.verb} {spoken_date(day.date)}{clock}."


def _until(words: str, unit: str, today: date) -> Reply | None:
    day = named_day(words, today)
    if day is None:
        return None
    days = (day.date - today).days
    if days < 0:
        return Reply(f"{capitalized(day.name)} is over: it was {spoken_date(day.date)}.")
    if days == 0:
        return Reply(f"{capitalized(day.name)} is today.")
    length = counted(days, "day")
    if unit == "many weeks" and days >= 7:
        length = counted(days // 7, "week") + (f" and {counted(days % 7, 'day')}" if days % 7 else "")
    return Reply(f"It is {length} until {day.name}, which is {spoken_date(day.date)}.")


def _checked(words: str, weekday: str, today: date) -> Reply | None:
    day = named_day("today" if words == "it" else words, today)
    if day is None:
        return None
    right = "Yes" if day.weekday.lower() == weekday else "No"
    subject = day.name if day.named else f"{day.name} it"
    return Reply(f"{right}, {subject} {day.verb} {spoken_date(day.date)}.")


def _part(part: str, today: date) -> str:
    if part == "year":
        return f"It is {today.year} by this machine's clock."
    if part == "month":
        return f"It is {today:%B} {today.year} by this machine's clock."
    monday = today - timedelta(days=today.weekday())
    return f"It is week {today.isocalendar().week} of the year, which began on {spoken_date(monday)}."
