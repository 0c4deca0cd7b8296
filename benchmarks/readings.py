"""Readings of written text: ``7:30`` and ``seven thirty`` are the same words, as ``Dr.`` and ``doctor`` are."""

import re
from collections.abc import Sequence

from benchmarks.words import errors

Reading = tuple[str, ...]

TOKEN = re.compile(
    r"(?P<money>[$£€]\d[\d,]*(?:\.\d\d)?)|(?P<clock>\d{1,2}[:.]\d\d(?!\d))|(?P<ordinal>\d+(?:st|nd|rd|th)\b)"
    r"|(?P<decimal>\d+\.\d+)|(?P<number>\d+(?:,\d{3})*)|(?P<percent>%)|(?P<letters>(?:[a-z]\.){2,})|(?P<word>[a-z']+)"
)
ABBREVIATIONS = {"dr": "doctor", "mr": "mister", "mrs": "missus", "am": "a m", "pm": "p m", "ok": "okay"}
CURRENCIES = {"$": ("dollars", "cents"), "£": ("pounds", "pence"), "€": ("euros", "cents")}
SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"
ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
LONGEST_DIGITS = 9
"""Numbers of more digits are read digit by digit."""
PASSES = 2
"""Rounds over all numbers of a sentence in which the best reading of each is chosen."""


def least_errors(spoken: str, recognised: str) -> tuple[int, int]:
    """The least word errors of *recognised* by any reading of its numbers and of those of *spoken*; the words of that.

    The choice is made number by number, so it is an upper bound where a sentence has many numbers.
    """
    choices = [*readings(spoken), *readings(recognised)]
    boundary = len(readings(spoken))
    chosen = [options[0] for options in choices]

    def count() -> int:
        return errors(_joined(chosen[:boundary]), _joined(chosen[boundary:]))

    for _ in range(PASSES):
        for number, options in enumerate(choices):
            if len(options) > 1:
                counts = []
                for option in options:
                    chosen[number] = option
                    counts.append(count())
                chosen[number] = options[counts.index(min(counts))]
    return count(), len(_joined(chosen[:boundary]))


def readings(text: str) -> list[list[Reading]]:
    """The readings of each token of *text*, in lower case and without punctuation."""
    found = TOKEN.finditer(text.lower().replace("’", "'"))
    return [list(dict.fromkeys(_readings(match.lastgroup or "", match[0]))) for match in found]


def _readings(kind: str, token: str) -> list[Reading]:
    match kind:
        case "money":
            return _money(token[0], token[1:].replace(",", ""))
        case "clock":
            return [*_clock(*re.split("[:.]", token)), *_decimal(token.replace(":", "."))]
        case "ordinal":
            return [(*words[:-1], _ordinal(words[-1])) for words in _cardinal(token[:-2])]
        case "decimal":
            return _decimal(token)
        case "number":
            return _number(token.replace(",", ""))
        case "percent":
            return [("percent",), ("per", "cent")]
        case "letters":
            letters = token.replace(".", "")
            return [(letters,), tuple(letters)]
        case _:
            return [tuple(ABBREVIATIONS.get(token, token).split()), (token,)]


def _money(sign: str, amount: str) -> list[Reading]:
    units, parts = CURRENCIES[sign]
    whole, _, rest = amount.partition(".")
    if not rest:
        return [(*words, units) for words in _cardinal(whole)]
    found: list[Reading] = []
    for first in _cardinal(whole):
        for second in _cardinal(rest):
            found += [(*first, units, "and", *second, parts), (*first, units, *second, parts), (*first, units, *second)]
            found += [(*first, *second), (*first, "point", *second)]
    return found


def _clock(hours: str, minutes: str) -> list[Reading]:
    found = []
    for hour in _cardinal(hours):
        found += [(*hour, *minute) for minute in _pair(minutes)]
        if minutes == "00":
            found += [hour, (*hour, "o'clock"), (*hour, "hundred")]
    return found


def _decimal(token: str) -> list[Reading]:
    whole, _, rest = token.partition(".")
    return [(*words, "point", *digits) for words in _cardinal(whole) for digits in (_digits(rest), *_cardinal(rest))]


def _number(digits: str) -> list[Reading]:
    found = [] if len(digits) > LONGEST_DIGITS or (digits[0] == "0" and digits != "0") else _cardinal(digits)
    if len(digits) in (3, 4):
        found += [(*head, *tail) for head in _cardinal(digits[:-2]) for tail in _pair(digits[-2:])]
    spelled = _digits(digits)
    return [*found, spelled, tuple("oh" if word == "zero" else word for word in spelled)]


def _pair(digits: str) -> list[Reading]:
    """Two digits at the end of a time or a year, as in ``9:05`` and ``1905``."""
    if digits == "00":
        return [("hundred",)]
    if digits[0] == "0":
        return [("oh", SMALL[int(digits)]), ("zero", SMALL[int(digits)]), (SMALL[int(digits)],)]
    return _cardinal(digits)


def _digits(digits: str) -> Reading:
    return tuple(SMALL[int(digit)] for digit in digits)


def _cardinal(digits: str) -> list[Reading]:
    """British and American."""
    number = int(digits)
    return [_words(number, ()), _words(number, ("and",))]


def _words(number: int, conjunction: Reading) -> Reading:
    if number < len(SMALL):
        return (SMALL[number],)
    if number < 100:
        tens, rest = divmod(number, 10)
        return (TENS[tens - 2], *((SMALL[rest],) if rest else ()))
    for size, name in ((10**6, "million"), (10**3, "thousand"), (100, "hundred")):
        if number >= size:
            head, rest = divmod(number, size)
            link = conjunction if 0 < rest < 100 else ()
            return (*_words(head, conjunction), name, *link, *(_words(rest, conjunction) if rest else ()))
    raise ValueError(number)


def _ordinal(word: str) -> str:
    if word in ORDINALS:
        return ORDINALS[word]
    return f"{word[:-1]}ieth" if word.endswith("y") else f"{word}th"


def _joined(parts: Sequence[Reading]) -> list[str]:
    return [word for part in parts for word in part]
