"""Word errors, whatever way numbers are written."""

import pytest

from benchmarks.readings import least_errors


@pytest.mark.parametrize(
    ("spoken", "recognised"),
    [
        ("The train leaves at 7:30.", "the train leaves at seven thirty"),
        ("go forward ten meters", "Go forward 10 meters."),
        ("Tuesday, the 3rd of March", "Tuesday the third of March"),
        ("the 21st and the 30th", "the twenty-first and the thirtieth"),
        ("born in 1984, in 2009", "born in nineteen eighty four in two thousand nine"),
        ("costs $79.99", "costs seventy-nine dollars and ninety-nine cents"),
        ("42 dollars and 50 cents", "$42.50"),
        ("It is 144.", "it is one hundred and forty four"),
        ("Dial 555 0199", "dial 555-0199"),
        ("Room 204", "room two oh four"),
        ("3.5 percent", "three point five %"),
        ("Dr. Patel of the U.S. team", "doctor patel of the US team"),
    ],
)
def test_ways_of_writing_are_no_errors(spoken: str, recognised: str) -> None:
    """Numbers and abbreviations count as the words that are said."""
    assert least_errors(spoken, recognised)[0] == 0


@pytest.mark.parametrize(
    ("spoken", "recognised", "count"),
    [("It is 7:30.", "it is 7:40", 1), ("about 68 million", "about sixteen million", 2), ("twelve eggs", "20 eggs", 1)],
)
def test_other_numbers_are_errors(spoken: str, recognised: str, count: int) -> None:
    """Each word of a number counts."""
    assert least_errors(spoken, recognised)[0] == count


def test_words_are_counted_as_spoken() -> None:
    """The number of words is that of the reading."""
    assert least_errors("It is 7:30.", "it is seven thirty") == (0, 4)
