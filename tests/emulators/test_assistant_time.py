"""The offline assistant says the time and dates by the clock of its machine."""

from datetime import datetime

import pytest

from tests.emulators.dialogues import reply_to

TODAY = "Today is Monday, November 30, 2026, by this machine's clock."
TOMORROW = "Tomorrow will be Tuesday, December 1, 2026."
IN_THREE_DAYS = "In 3 days it will be Thursday, December 3, 2026."


@pytest.mark.parametrize(
    "question",
    [
        "what time is it",
        "What time is it?",
        "What's the time?",
        "whats the time",
        "what time is it now",
        "What is the time",
        "Could you tell me the time, please?",
        "hi there do you know what time it is",
        "what time do you have",
        "the time please",
        "Okay, and what is the current time right now?",
    ],
)
def test_the_time_is_that_of_the_machine(question: str) -> None:
    """The reply has the time, and names the clock that it is from."""
    assert reply_to(question) == "It is 3:05 PM by this machine's clock."


@pytest.mark.parametrize(
    ("hour", "minute", "time"), [(0, 0, "12:00 AM"), (9, 7, "9:07 AM"), (12, 30, "12:30 PM"), (23, 59, "11:59 PM")]
)
def test_times_are_read_aloud_in_twelve_hours(hour: int, minute: int, time: str) -> None:
    """Midnight and noon are twelve."""
    assert f"It is {time} " in reply_to("what time is it", now=datetime(2026, 1, 1, hour, minute))


def test_times_elsewhere_are_unknown() -> None:
    """A question about another place gets this machine's time, as such."""
    assert reply_to("What time is it in Tokyo?") == "I only know this machine's time, which is 3:05 PM."


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("what time will it be in twenty minutes", "In 20 minutes it will be 3:25 PM by this machine's clock."),
        ("what time is it in half an hour", "In 30 minutes it will be 3:35 PM by this machine's clock."),
        ("what time will it be in an hour", "In 1 hour it will be 4:05 PM by this machine's clock."),
    ],
)
def test_times_after_a_while(question: str, reply: str) -> None:
    """Minutes and hours are added to the time."""
    assert reply_to(question) == reply


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("what day is it", TODAY),
        ("What day is it today?", TODAY),
        ("what's the date", TODAY),
        ("What's today's date?", TODAY),
        ("what is the date today", TODAY),
        ("tell me the date please", TODAY),
        ("which day of the week is it", TODAY),
        ("what is today", TODAY),
        ("what day is it tomorrow", TOMORROW),
        ("what day is tomorrow", TOMORROW),
        ("What will tomorrow be?", TOMORROW),
        ("what about tomorrow", TOMORROW),
        ("and tomorrow", TOMORROW),
        ("what day was it yesterday", "Yesterday was Sunday, November 29, 2026."),
        ("what is the day after tomorrow", "The day after tomorrow will be Wednesday, December 2, 2026."),
        ("what day is the day after tomorrow", "The day after tomorrow will be Wednesday, December 2, 2026."),
        ("what day is it in three days", IN_THREE_DAYS),
        ("What day will it be in 3 days?", IN_THREE_DAYS),
        ("in three days what day is it", IN_THREE_DAYS),
        ("in three days", IN_THREE_DAYS),
        ("what day is three days from now", IN_THREE_DAYS),
        ("what date is it in two weeks", "In 2 weeks it will be Monday, December 14, 2026."),
        ("what day was it ten days ago", "10 days ago it was Friday, November 20, 2026."),
        ("what date is next friday", "That is Friday, December 4, 2026."),
        ("what date was last friday", "That was Friday, November 27, 2026."),
        ("when is christmas", "Christmas is Friday, December 25, 2026."),
        ("What day is Valentine's Day?", "Valentine's Day is Sunday, February 14, 2027."),
        ("what day is december 24th", "That is Thursday, December 24, 2026."),
        ("what day is the fourth of july", "That is Sunday, July 4, 2027."),
        ("what day of the week was march 1 2000", "That was Wednesday, March 1, 2000."),
        ("what year is it", "It is 2026 by this machine's clock."),
        ("What month is it?", "It is November 2026 by this machine's clock."),
        ("is it monday", "Yes, today is Monday, November 30, 2026."),
        ("is today a tuesday", "No, today is Monday, November 30, 2026."),
        ("is tomorrow tuesday", "Yes, tomorrow will be Tuesday, December 1, 2026."),
        ("how many days until christmas", "It is 25 days until Christmas, which is Friday, December 25, 2026."),
        (
            "how many weeks until christmas",
            "It is 3 weeks and 4 days until Christmas, which is Friday, December 25, 2026.",
        ),
    ],
)
def test_days_are_named(question: str, reply: str) -> None:
    """A day in the user's words gets its weekday and date."""
    assert reply_to(question) == reply


@pytest.mark.parametrize(
    "question", ["what day is february 30", "what day is it in 9999999999 days", "when is the party", "in a few days"]
)
def test_unknown_days_are_no_dates(question: str) -> None:
    """Days that do not exist, are too far away or are unknown get no date."""
    assert reply_to(question).startswith("You said: ")
