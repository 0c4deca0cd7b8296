"""Days by the names that people give them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from emulators.openai.phrases import capitalized, counted
from emulators.openai.skills.numbers import count_of

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FURTHEST_DAYS = 100_000
"""How far from today a day may be that is named by a number of days."""

_FEASTS = {
    "christmas": (12, 25),
    "christmas day": (12, 25),
    "christmas eve": (12, 24),
    "boxing day": (12, 26),
    "new year": (1, 1),
    "new year's day": (1, 1),
    "new year's eve": (12, 31),
    "valentine's day": (2, 14),
    "halloween": (10, 31),
}
"""Feasts on the same date in every year: month and day."""

_NEAR = {"today": 0, "tomorrow": 1, "yesterday": -1, "day after tomorrow": 2, "day before yesterday": -2}
_ORDINAL_WORDS: dict[str, int] = dict(
    zip(
        (
            *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
            *("eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth"),
            *("eighteenth", "nineteenth", "twentieth", "thirtieth"),
        ),
        (*range(1, 21), 30),
        strict=True,
    )
)


@dataclass(frozen=True, slots=True)
class NamedDay:
    """A date and what the user called it."""

    date: date
    name: str
    verb: str
    named: bool = True
    """The name is a day ("tomorrow") rather than a time from now ("in 3 days")."""

    @property
    def weekday(self) -> str:
        return WEEKDAYS[self.date.weekday()]


def spoken_date(day: date) -> str:
    """A date as it is read aloud, whatever the locale."""
    return f"{WEEKDAYS[day.weekday()]}, {MONTHS[day.month - 1]} {day.day}, {day.year}"


def named_day(words: str, today: date) -> NamedDay | None:
    """The day that *words* name; None: they name none, or one that is too far away."""
    plain = re.sub(r"^(?:the|on|it|this year's|going to be|be) ", "", re.sub(r"s' ", "'s ", words)).removesuffix(
        " this year"
    )
    try:
        return next((day for reader in _READERS if (day := reader(plain, today))), None)
    except (ValueError, OverflowError):
        return None


def _near(words: str, today: date) -> NamedDay | None:
    if words not in _NEAR:
        return None
    days = _NEAR[words]
    name = f"the {words}" if words.startswith("day") else words
    return NamedDay(today + timedelta(days), name, _verb(days))


def _counted(words: str, today: date) -> NamedDay | None:
    match = re.fullmatch(
        r"(?:in )?(?P<number>.+) (?P<unit>day|week)s?(?: (?P<when>time|from now|from today|ago|later))?", words
    )
    number = count_of(match["number"]) if match else None
    if match is None or number is None or not (words.startswith("in ") or match["when"]):
        return None
    days = number * (7 if match["unit"] == "week" else 1)
    if not 0 < days <= FURTHEST_DAYS:
        return None
    length = counted(number, match["unit"])
    if match["when"] == "ago":
        return NamedDay(today - timedelta(days), f"{length} ago", "was", named=False)
    return NamedDay(today + timedelta(days), f"in {length}", "will be", named=False)


def _weekday(words: str, today: date) -> NamedDay | None:
    match = re.fullmatch(rf"(?:(this|next|last|coming) )?({'|'.join(WEEKDAYS).lower()})", words)
    if match is None:
        return None
    wanted, last = capitalized(match[2]), match[1] == "last"
    ahead = (WEEKDAYS.index(wanted) - today.weekday()) % 7 or (0 if match[1] == "this" else 7)
    days = (ahead % 7 or 7) - 7 if last and ahead % 7 else -7 if last else ahead
    name = f"last {wanted}" if last else "today" if not days else f"the next {wanted}"
    return NamedDay(today + timedelta(days), name, "was" if last else "is")


def _feast(words: str, today: date) -> NamedDay | None:
    plain = words if words in _FEASTS else re.sub(r"(?<=year|tine)s ", "'s ", words)
    if plain not in _FEASTS:
        return None
    name = " ".join(capitalized(word) for word in plain.split())
    return NamedDay(_coming(*_FEASTS[plain], today), name, "is")


def _dated(words: str, today: date) -> NamedDay | None:
    months = "|".join(MONTHS).lower()
    match = re.fullmatch(
        rf"(?:the )?(?:(?P<month>{months}) (?:the )?(?P<day>.+?)"
        rf"|(?P<first>.+?) (?:of )?(?P<later>{months}))(?: (?P<year>\d{{4}}))?",
        words,
    )
    number = _ordinal(match["day"] or match["first"]) if match else None
    if match is None or number is None:
        return None
    month = MONTHS.index(capitalized(match["month"] or match["later"])) + 1
    day = date(int(match["year"]), month, number) if match["year"] else _coming(month, number, today)
    return NamedDay(day, f"{MONTHS[month - 1]} {number}", "was" if day < today else "is")


def _ordinal(words: str) -> int | None:
    plain = re.sub(r"(?<=\d) (?:st|nd|rd|th)$", "", words)
    tens, _, unit = plain.rpartition(" ")
    if unit in _ORDINAL_WORDS:
        return _ORDINAL_WORDS[unit] + (count_of(tens) or 0 if tens else 0)
    return count_of(plain)


def _coming(month: int, day: int, today: date) -> date:
    """The next such date, which may be today."""
    this_year = date(today.year, month, day)
    return this_year if this_year >= today else date(today.year + 1, month, day)


def _verb(days: int) -> str:
    return "is" if not days else "will be" if days > 0 else "was"


_READERS: tuple[Callable[[str, date], NamedDay | None], ...] = (_near, _counted, _weekday, _feast, _dated)
