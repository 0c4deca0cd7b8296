"""Readings of written text: ``7:30`` and ``seven thirty`` are the same words.

Words are those of `real_speech.normalisation`. A number may be read in several ways; a synthesizer and a recogniser may
choose different ones for the same number.
"""

import re
from collections.abc import Sequence

from benchmarks.real_speech.normalisation import normalised_words, number
from benchmarks.words import errors

Reading = tuple[str, ...]

TOKEN = re.compile(
    r"(?P<money>[$£€]\d[\d,]*(?:\.\d\d)?)|(?P<clock>\d{1,2}[:.]\d\d(?!\d))|(?P<ordinal>\d+(?:st|nd|rd|th)\b)"
    r"|(?P<decimal>\d+\.\d+)|(?P<number>\d+(?:,\d{3})*)|(?P<percent>%)|(?P<letters>(?:[a-z]\.){2,})|(?P<word>[a-z']+)"
)
CURRENCIES = {"$": ("dollars", "cents"), "£": ("pounds", "pence"), "€": ("euros", "cents")}
ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
LONGEST_DIGITS = 4
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
        for place, options in enumerate(choices):
            if len(options) > 1:
                counts = []
                for option in options:
                    chosen[place] = option
                    counts.append(count())
                chosen[place] = options[counts.index(min(counts))]
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
            return [tuple(normalised_words(token))]


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
    found = [] if digits[0] == "0" and digits != "0" else _cardinal(digits)
    if len(digits) in (3, 4):
        found += [(*head, *tail) for head in _cardinal(digits[:-2]) for tail in _pair(digits[-2:])]
    spelled = _digits(digits)
    return [*found, spelled, tuple("oh" if word == "zero" else word for word in spelled)]


def _pair(digits: str) -> list[Reading]:
    """Two digits at the end of a time or a year, as in ``9:05`` and ``1905``."""
    if digits == "00":
        return [("hundred",)]
    if digits[0] == "0":
        return [(*zero, *_digits(digits[1])) for zero in (("oh",), ("zero",), ())]
    return _cardinal(digits)


def _digits(digits: str) -> Reading:
    return tuple(number(int(digit)) for digit in digits)


def _cardinal(digits: str) -> list[Reading]:
    """American and British."""
    if len(digits) > LONGEST_DIGITS:
        return [_digits(digits)]
    words = number(int(digits))
    return [tuple(words.split()), tuple(re.sub(r"(hundred|thousand) (?=\w)", r"\1 and ", words).split())]


def _ordinal(word: str) -> str:
    if word in ORDINALS:
        return ORDINALS[word]
    return f"{word[:-1]}ieth" if word.endswith("y") else f"{word}th"


def _joined(parts: Sequence[Reading]) -> list[str]:
    return [word for part in parts for word in part]
