"""The offline assistant calculates, in words and in digits, and converts units."""

import pytest

from emulators.openai.skills.numbers import number_of
from tests.emulators.dialogues import reply_to


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("what is 12 times 7", "12 times 7 is 84."),
        ("What's 12 times 7?", "12 times 7 is 84."),
        ("whats twelve times seven", "Twelve times seven is 84."),
        ("twelve times seven", "Twelve times seven is 84."),
        ("could you tell me what twelve times seven is please", "Twelve times seven is 84."),
        ("how much is 12 multiplied by 7", "12 multiplied by 7 is 84."),
        ("12 x 7", "12 times 7 is 84."),
        ("12x7=", "12 times 7 is 84."),
        ("12*7", "12 times 7 is 84."),
        ("12 × 7 = ?", "12 times 7 is 84."),
        ("multiply twelve by seven", "The result is 84."),
        ("3.5 + 4", "3.5 plus 4 is 7.5."),
        ("three point five plus four", "Three point five plus four is 7.5."),
        ("0.1 + 0.2", "0.1 plus 0.2 is 0.3."),
        ("what is 20 percent of 50", "20 percent of 50 is 10."),
        ("What is 20% of 50?", "20 percent of 50 is 10."),
        ("twenty per cent of fifty", "Twenty per cent of fifty is 10."),
        ("100 plus 20 percent", "100 plus 20 percent is 120."),
        ("200 - 10%", "200 minus 10 percent is 180."),
        ("seventeen minus twenty", "Seventeen minus twenty is minus 3."),
        ("what is minus five times minus five", "Minus five times minus five is 25."),
        ("10 / 4", "10 divided by 4 is 2.5."),
        ("ten divided by three", "Ten divided by three is about 3.33333."),
        ("ten over four", "Ten over four is 2.5."),
        ("divide 9 by 3", "The result is 3."),
        ("what is the remainder of 10 divided by 3", "The result is 1."),
        ("2 + 2 * 3", "2 plus 2 times 3 is 8."),
        ("(2 + 2) * 3", "The result is 12."),
        ("what is two to the power of ten", "Two to the power of ten is 1024."),
        ("2^10", "The result is 1024."),
        ("five squared", "Five squared is 25."),
        ("two to the tenth", "Two to the tenth is 1024."),
        ("What is the square root of 144?", "Square root of 144 is 12."),
        ("square root of two", "Square root of two is about 1.41421."),
        ("half of ten", "Half of ten is 5."),
        ("a third of nine", "A third of nine is 3."),
        ("three quarters of eight", "Three quarters of eight is 6."),
        ("double eight", "Double eight is 16."),
        ("add three and four", "The result is 7."),
        ("the sum of one hundred and five and six", "The result is 111."),
        ("subtract 3 from 10", "The result is 7."),
        ("what is the average of 2 and 5", "The result is 3.5."),
        ("the cube of three", "The result is 27."),
        ("what's two and two", "Two and two is 4."),
        ("What does 5 times 5 equal?", "5 times 5 is 25."),
        ("ten factorial", "Ten factorial is 3,628,800."),
        ("1,000 times 1,000", "1000 times 1000 is 1,000,000."),
        ("what do you get if you multiply 6 by 7", "The result is 42."),
        ("1.5 million plus one", "1.5 million plus one is 1,500,001."),
    ],
)
def test_sums_are_calculated(question: str, reply: str) -> None:
    """A typed or spoken sum gets its exact result, or one that is rounded and says so."""
    assert reply_to(question) == reply


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("what is ten divided by zero", "Nothing can be divided by zero."),
        ("0 / 0", "Nothing can be divided by zero."),
        ("5 modulo 0", "Nothing can be divided by zero."),
        ("0 ^ -1", "Nothing can be divided by zero."),
        ("square root of minus 4", "A negative number has no real square root."),
        ("2 to the power of 0.5", "I can only take powers with whole numbers."),
        ("9 to the power of 99999999999", "The result is too long to say."),
        ("9^9^9^9", "The result is too long to say."),
        ("999999999 factorial", "The result is too long to say."),
        ("0.1 to the power of 500", "The result is too close to zero to say."),
        ("3.5 factorial", "Only whole numbers have a factorial."),
    ],
)
def test_sums_without_a_result_are_explained(question: str, reply: str) -> None:
    """Division by zero and results without bounds get a sentence, at once."""
    assert reply_to(question) == reply


@pytest.mark.parametrize(
    "message",
    ["seven", "one hundred and", "2 +", "plus", "times are hard", "(((((2", "5 5", "- " * 80 + "1", "6 of one"],
)
def test_other_numbers_are_no_sums(message: str) -> None:
    """Words and numbers that are not a complete sum are repeated."""
    assert reply_to(message).startswith(("You said: ", "6 of one is 6."))


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("zero", "0"),
        ("twenty one", "21"),
        ("a hundred and five", "105"),
        ("two thousand twenty six", "2026"),
        ("five hundred thousand", "500000"),
        ("one million two hundred thousand and five", "1200005"),
        ("nineteen", "19"),
        ("three point one four", "3.14"),
        ("two and a half", "2.5"),
        ("minus seven", "-7"),
        ("a dozen", "12"),
        ("3 hundred", "300"),
        ("twenty twenty", None),
        ("five and six", None),
        ("one thousand thousand", None),
        ("nine" * 40, None),
        ("1" * 31, None),
        ("", None),
    ],
)
def test_numbers_are_read(words: str, number: str | None) -> None:
    """English numbers are read completely or not at all."""
    read = number_of(words)
    assert (None if read is None else str(read.numerator / read.denominator)) == (number and str(float(number)))


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("how many kilometers is five miles", "5 miles are about 8.047 kilometers."),
        ("How many kilometres are there in 5 miles?", "5 miles are about 8.047 kilometers."),
        ("convert 10 miles to kilometers", "10 miles are about 16.09 kilometers."),
        ("ten miles in km", "10 miles are about 16.09 kilometers."),
        ("what is one mile in kilometers", "1 mile is about 1.609 kilometers."),
        ("half a mile in meters", "0.5 miles are 804.672 meters."),
        ("what is 100 degrees fahrenheit in celsius", "100 degrees Fahrenheit is about 37.78 degrees Celsius."),
        ("100 °F to °C", "100 degrees Fahrenheit is about 37.78 degrees Celsius."),
        ("20 celsius in fahrenheit", "20 degrees Celsius is 68 degrees Fahrenheit."),
        ("minus forty degrees celsius in fahrenheit", "Minus 40 degrees Celsius is minus 40 degrees Fahrenheit."),
        ("what is -40 degrees celsius in fahrenheit", "Minus 40 degrees Celsius is minus 40 degrees Fahrenheit."),
        ("how many minutes in three hours", "3 hours are 180 minutes."),
        ("how many minutes are in an hour", "1 hour is 60 minutes."),
        ("how many minutes does an hour have", "1 hour is 60 minutes."),
        ("two and a half hours in minutes", "2.5 hours are 150 minutes."),
        ("how many seconds are in a day", "1 day is 86,400 seconds."),
        ("how many days are in a year", "1 year is 365 days."),
        ("how many pounds is 5 kilos", "5 kilograms are about 11.02 pounds."),
        ("200 pounds in kg", "200 pounds are about 90.72 kilograms."),
        ("how many feet are in a mile", "1 mile is 5280 feet."),
        ("how many miles are one meter", "1 meter is about 0.0006214 miles."),
        ("60 mph in kilometers per hour", "60 miles per hour are about 96.56 kilometers per hour."),
        ("convert 5 miles to kilograms", "Miles and kilograms measure different things."),
        ("minus five miles in meters", "I can only convert a quantity that is not negative."),
    ],
)
def test_units_are_converted(question: str, reply: str) -> None:
    """A quantity is converted between units of one kind."""
    assert reply_to(question) == reply
