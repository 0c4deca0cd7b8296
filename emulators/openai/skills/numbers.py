"""Numbers as digits and as English words, read and spoken."""

import re
from collections.abc import Sequence
from decimal import Decimal, localcontext
from fractions import Fraction

LONGEST_DIGITS = 30
"""The most digits that are read, and that are spoken before the decimal point."""
LONGEST_DECIMALS = 10
ROUNDED_DIGITS = 6
"""Significant digits of a number without a short exact decimal."""

_UNITS = {
    **dict(
        zip(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"), range(10), strict=True)
    ),
    "oh": 0,
    "nought": 0,
}
_TEENS = {
    **dict(zip(("ten", "eleven", "twelve", "thirteen", "fourteen"), range(10, 15), strict=True)),
    **dict(zip(("fifteen", "sixteen", "seventeen", "eighteen", "nineteen"), range(15, 20), strict=True)),
}
_TENS = dict(
    zip(("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), range(20, 100, 10), strict=True)
)
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_PARTS = ("third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_FRACTIONS = {
    "half": 2,
    "halves": 2,
    "quarter": 4,
    "quarters": 4,
    **dict(zip(_PARTS, range(3, 11), strict=True)),
    **dict(zip([f"{part}s" for part in _PARTS], range(3, 11), strict=True)),
}
_DIGITS = re.compile(r"\d*\.?\d+")


class _Reader:
    """Reads one number from tokens; each method returns the place after what it read, or the same place."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens

    def word(self, place: int) -> str:
        return self._tokens[place] if place < len(self._tokens) else ""

    def number(self, start: int) -> tuple[Fraction, int]:
        total, place = Fraction(0), start
        limit: int | None = None
        while True:
            at = place + 1 if place > start and self.word(place) == "and" else place
            group, after = self._group(at)
            if after == at or (at > place and group >= 100):
                break
            scale = _SCALES.get(self.word(after), 1)
            after += scale > 1
            if limit is not None and (group * scale >= limit or scale >= limit):
                break
            total, place = total + group * scale, after
            if scale == 1:
                break
            limit = scale
        return self._decimals(total, place) if place > start else (total, place)

    def _group(self, place: int) -> tuple[Fraction, int]:
        """A number below a thousand, or digits of any size."""
        value, after = self._below_hundred(place)
        if after == place and self.word(place) in {"a", "an"} and self.word(place + 1) in {"hundred", *_SCALES}:
            value, after = Fraction(1), place + 1
        if after == place or self.word(after) != "hundred":
            return value, after
        value, after = value * 100, after + 1
        at = after + 1 if self.word(after) == "and" else after
        rest, end = self._below_hundred(at)
        if end > at and not self.word(at)[0].isdigit():
            return value + rest, end
        return value, after

    def _below_hundred(self, place: int) -> tuple[Fraction, int]:
        word = self.word(place)
        if _DIGITS.fullmatch(word):
            return Fraction(word), place + 1
        if word == "dozen":
            return Fraction(12), place + 1
        if word in _TENS:
            unit = _UNITS.get(self.word(place + 1), 0)
            return Fraction(_TENS[word] + unit), place + (2 if unit else 1)
        value = _UNITS.get(word, _TEENS.get(word))
        return (Fraction(0), place) if value is None else (Fraction(value), place + 1)

    def _decimals(self, value: Fraction, place: int) -> tuple[Fraction, int]:
        """Digits after "point", or a fraction after the number: "three quarters", "two and a half"."""
        if self.word(place) == "point":
            digits = ""
            while (digit := self._digit(place + 1 + len(digits))) is not None:
                digits += digit
            if digits:
                return value + Fraction(int(digits), 10 ** len(digits)), place + 1 + len(digits)
        if self.word(place) == "and" and self.word(place + 1) in {"a", "one"} and self.word(place + 2) in _FRACTIONS:
            return value + Fraction(1, _FRACTIONS[self.word(place + 2)]), place + 3
        if self.word(place) in _FRACTIONS:
            return value / _FRACTIONS[self.word(place)], place + 1
        return value, place

    def _digit(self, place: int) -> str | None:
        word = self.word(place)
        if word in _UNITS:
            return str(_UNITS[word])
        return word if len(word) == 1 and word.isdecimal() else None


def number_at(tokens: Sequence[str], start: int) -> tuple[Fraction, int] | None:
    """The longest number at *start* and the place after it; None: there is no number, or it is too long."""
    word = tokens[start] if start < len(tokens) else ""
    if word in {"a", "an"} and start + 1 < len(tokens) and tokens[start + 1] in {*_FRACTIONS, "dozen"}:
        second = tokens[start + 1]
        return (Fraction(12) if second == "dozen" else Fraction(1, _FRACTIONS[second])), start + 2
    if word == "half":
        return Fraction(1, 2), start + 1
    value, after = _Reader(tokens).number(start)
    if after == start or any(len(token) > LONGEST_DIGITS for token in tokens[start:after]):
        return None
    return value, after


def number_of(words: str) -> Fraction | None:
    """All *words* as one number, which may be negative."""
    tokens = words.split()
    negative = tokens[:1] in (["minus"], ["negative"], ["-"])
    found = number_at(tokens, int(negative))
    if found is None or found[1] != len(tokens):
        return None
    return -found[0] if negative else found[0]


def count_of(words: str) -> int | None:
    """*words* as a whole number of things, of which "a" is one."""
    if words in {"a", "an"}:
        return 1
    number = number_of(words)
    return int(number) if number is not None and number.denominator == 1 else None


def exact(value: Fraction) -> bool:
    """Whether *value* is a decimal with at most `LONGEST_DECIMALS` digits after the point."""
    shifted: Fraction = value * 10**LONGEST_DECIMALS
    return shifted.denominator == 1


def spoken(value: Fraction, digits: int = 0) -> str:
    """*value* as a decimal, rounded to significant *digits*; 0: exact if that is short, else `ROUNDED_DIGITS`."""
    sign, value = ("minus " if value < 0 else ""), abs(value)
    if value.denominator == 1:
        return f"{sign}{_grouped(str(value.numerator))}"
    with localcontext() as context:
        short = exact(value) and not digits
        context.prec = (
            LONGEST_DIGITS + LONGEST_DECIMALS if short else max(digits or ROUNDED_DIGITS, len(str(int(value))))
        )
        decimal = Decimal(value.numerator) / Decimal(value.denominator)
    whole, _, decimals = f"{decimal:f}".partition(".")
    decimals = decimals.rstrip("0")
    return f"{sign}{_grouped(whole)}" + (f".{decimals}" if decimals else "")


def _grouped(digits: str) -> str:
    return f"{int(digits):,}" if len(digits) > 4 else digits
