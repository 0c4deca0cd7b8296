"""Conversion between common units."""

import re
from fractions import Fraction

from emulators.openai.dialogue import Dialogue, Reply
from emulators.openai.phrases import capitalized
from emulators.openai.skills.measures import MEASURES, Measure
from emulators.openai.skills.numbers import number_of, spoken

DECIMALS = 4
"""Longest exact result; others are rounded to `DIGITS` significant digits."""
DIGITS = 4
LARGEST = 10**15

_NAMES = "|".join(sorted(MEASURES, key=len, reverse=True))
_DEGREES = re.compile(r"\b(?:degrees?|deg|°) (?=fahrenheit|celsius|centigrade|kelvin|[cfk]\b)")
_QUESTIONS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:convert |change |turn |express |what (?:is|are) |how (?:much|many|long|far|heavy|hot|cold|warm"
        rf"|tall) (?:is|are) )?"
        rf"(?P<number>.+?) (?P<source>{_NAMES}) (?:in|to|into|as|is how many) (?P<target>{_NAMES})",
        rf"how (?:many|much) (?P<target>{_NAMES}) (?:(?:are|is|do|does|make|makes|per|in|go|fit|there|equals?"
        rf"|you|get|have|into|to|up)\b ?)+"
        rf"(?P<number>.*?) ?\b(?P<source>{_NAMES})(?: (?:have|has|make|is|contain|contains))?",
        rf"(?P<target>{_NAMES}) in (?P<number>.+?) (?P<source>{_NAMES})",
    )
)


def reply(dialogue: Dialogue) -> Reply | None:
    """A quantity in another unit, or that the units do not fit."""
    question = _DEGREES.sub("", dialogue.expression)
    for pattern in _QUESTIONS:
        if not (match := pattern.fullmatch(question)):
            continue
        number = _quantity(match["number"])
        if number is not None:
            return _converted(number, MEASURES[match["source"]], MEASURES[match["target"]])
    return None


def _quantity(words: str) -> Fraction | None:
    """A number of things; "an", "the" and nothing stand for one, "half a" for a half."""
    plain = re.sub(r"^(?:the|exactly|about) ", "", words)
    if plain in {"", "a", "an", "the", "one", "every"}:
        return Fraction(1)
    number = number_of(re.sub(r"(?<=half|rter|hird) (?:of )?an?$", "", plain))
    return None if number is None or abs(number) > LARGEST else number


def _converted(number: Fraction, source: Measure, target: Measure) -> Reply:
    if source.dimension != target.dimension:
        return Reply(f"{capitalized(source.plural)} and {target.plural} measure different things.")
    if number < 0 and source.dimension != "temperature":
        return Reply("I can only convert a quantity that is not negative.")
    result = (number * source.factor + source.offset - target.offset) / target.factor
    shortest = Fraction(10**DECIMALS) % result.denominator == 0
    amount = spoken(result) if shortest else f"about {spoken(result, DIGITS)}"
    verb = "is" if number == 1 or source.dimension == "temperature" else "are"
    return Reply(f"{capitalized(f'{spoken(number)} {source.name(number)}')} {verb} {amount} {target.name(result)}.")
