"""The time of day on this machine."""

import re
from datetime import datetime, timedelta

from emulators.openai.dialogue import Dialogue, Reply
from emulators.openai.phrases import counted
from emulators.openai.skills.numbers import count_of

_NOW = re.compile(
    r"(?:what(?: is)?(?: the)?(?: current| exact| local)? time(?: is it| it is| do you have| is| have you got)?"
    r"|(?:the |current |exact )*time|what hour is it|how late is it|what does the clock say"
    r"|(?:do you have|have you got|got|do you know) the time)(?P<place> (?:in|at|for) (?!the (?:moment|minute)).+)?"
    r"(?: here)?(?: now| currently| just now| today| exactly| by the way)*"
)
_LATER = re.compile(
    r"what time (?:is it|will it be|will that be|is) in (?P<number>.+) (?P<unit>minute|hour|second)s?(?: from now)?"
)
LARGEST_STEP = 10_000_000
"""The most hours, minutes or seconds that are added to the time."""


def reply(dialogue: Dialogue) -> Reply | None:
    """The time, or the time after a while."""
    if later := _LATER.fullmatch(dialogue.question):
        return _after(dialogue.now, later["number"], later["unit"])
    if not (match := _NOW.fullmatch(dialogue.question)):
        return None
    time = time_of_day(dialogue.now)
    if match["place"]:
        return Reply(f"I only know this machine's time, which is {time}.")
    return Reply(f"It is {time} by this machine's clock.")


def time_of_day(moment: datetime) -> str:
    """The time as it is read aloud, in twelve hours."""
    return f"{moment.hour % 12 or 12}:{moment.minute:02d} {'AM' if moment.hour < 12 else 'PM'}"


def _after(now: datetime, words: str, unit: str) -> Reply | None:
    if words == "half an" and unit == "hour":
        number, unit = 30, "minute"
    else:
        number = count_of(words) or 0
    if not 0 < number <= LARGEST_STEP:
        return None
    moment = now + timedelta(**{f"{unit}s": number})
    return Reply(f"In {counted(number, unit)} it will be {time_of_day(moment)} by this machine's clock.")
