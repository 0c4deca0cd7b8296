"""Exact arithmetic on a list of words, numbers and signs, by recursive descent."""

from collections.abc import Sequence
from fractions import Fraction
from math import factorial, isqrt

from emulators.openai.skills.numbers import LONGEST_DECIMALS, LONGEST_DIGITS, number_at

LARGEST_BITS = 4000
"""Size of a number in the middle of a calculation, above and below the line of a fraction."""
LARGEST_FACTORIAL = 200
DEEPEST = 40
"""Nested signs, roots and parentheses."""

_ROOT_DIGITS = 12
"""Decimals of a root that is no fraction."""

_OPERATORS = {
    "plus": (("plus",), ("+",), ("and",)),
    "minus": (("minus",), ("-",), ("take", "away"), ("less",), ("subtract",)),
    "times": (("times",), ("x",), ("*",), ("×",), ("multiplied", "by"), ("of",)),
    "over": (("divided", "by"), ("/",), ("÷",), ("over",)),
    "modulo": (("modulo",), ("mod",)),
    "power": (("to", "the", "power", "of"), ("raised", "to", "the", "power", "of"), ("to", "the"), ("^",)),
    "root": (("the", "square", "root", "of"), ("square", "root", "of"), ("root", "of"), ("square", "root"), ("√",)),
    "open": (("(",), ("open", "parenthesis")),
    "close": ((")",), ("close", "parenthesis")),
    "squared": (("squared",),),
    "cubed": (("cubed",),),
    "factorial": (("factorial",),),
    "percent": (("percent",), ("per", "cent"), ("percents",)),
    "double": (("double",), ("twice",)),
    "negative": (("minus",), ("-",), ("negative",)),
}
_ORDINALS: dict[str, int] = dict(
    zip(
        ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
        range(2, 11),
        strict=True,
    )
)


class UncalculableError(Exception):
    """The sum has no result that can be said; the message says why, as a sentence."""


class Calculation:
    """The value of one sum; `operations` counts what was calculated."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0
        self.operations = 0
        self.rounded = False

    def value(self) -> Fraction | None:
        """The result; None: the tokens are not a sum.

        Raises:
            UncalculableError: division by zero, a result that is too long, a root or power that is not real.
        """
        value = self._sum()
        if value is None or self._place != len(self._tokens):
            return None
        if abs(value) >= 10**LONGEST_DIGITS:
            raise UncalculableError("The result is too long to say.")
        if 0 < abs(value) < Fraction(1, 10**LONGEST_DECIMALS):
            raise UncalculableError("The result is too close to zero to say.")
        return value

    def _take(self, operator: str) -> bool:
        for words in _OPERATORS[operator]:
            end = self._place + len(words)
            if tuple(self._tokens[self._place : end]) == words:
                self._place = end
                return True
        return False

    def _count(self, value: Fraction) -> Fraction:
        self.operations += 1
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > LARGEST_BITS:
            raise UncalculableError("The result is too long to say.")
        return value

    def _sum(self) -> Fraction | None:
        value, percent = self._product()
        while value is not None:
            sign = 1 if self._take("plus") else -1 if self._take("minus") else 0
            if not sign:
                break
            term, percent = self._product()
            if term is None:
                return None
            # "100 plus 20 percent" is 120, as on a pocket calculator.
            value = self._count(value + sign * (value * term if percent else term))
        return value

    def _product(self) -> tuple[Fraction | None, bool]:
        """A product, and whether it is a percentage alone."""
        value, percent = self._signed()
        while value is not None:
            operator = next((name for name in ("times", "over", "modulo") if self._take(name)), "")
            if not operator:
                break
            factor, _ = self._signed()
            if factor is None:
                return None, False
            value, percent = self._count(_combined(operator, value, factor)), False
        return value, percent

    def _signed(self) -> tuple[Fraction | None, bool]:
        self._depth += 1
        if self._depth > DEEPEST:
            return None, False
        if self._take("negative"):
            value, percent = self._signed()
            value = None if value is None else -value
        else:
            value, percent = self._power()
        self._depth -= 1
        return value, percent

    def _power(self) -> tuple[Fraction | None, bool]:
        value, percent = self._postfix()
        if value is None or not self._take("power"):
            return value, percent
        ordinal = _ORDINALS.get(self._tokens[self._place]) if self._place < len(self._tokens) else None
        if ordinal is not None:
            self._place += 1
            self._place += self._tokens[self._place : self._place + 1] == ["power"]
        exponent = self._signed()[0] if ordinal is None else Fraction(ordinal)
        return (None if exponent is None else self._count(_raised(value, exponent))), False

    def _postfix(self) -> tuple[Fraction | None, bool]:
        value, percent = self._primary(), False
        while value is not None:
            if self._take("squared"):
                value = self._count(_raised(value, Fraction(2)))
            elif self._take("cubed"):
                value = self._count(_raised(value, Fraction(3)))
            elif self._take("factorial"):
                value = self._count(_factorial(value))
            elif self._take("percent"):
                value, percent = value / 100, True
            else:
                break
        return value, percent

    def _primary(self) -> Fraction | None:
        if self._take("open"):
            value = self._sum()
            return value if value is not None and self._take("close") else None
        if self._take("root"):
            value, _ = self._signed()
            return None if value is None else self._count(self._root(value))
        if self._take("double"):
            value, _ = self._signed()
            return None if value is None else self._count(value * 2)
        found = number_at(self._tokens, self._place)
        if found is None:
            return None
        self._place = found[1]
        return found[0]

    def _root(self, value: Fraction) -> Fraction:
        if value < 0:
            raise UncalculableError("A negative number has no real square root.")
        top, bottom = isqrt(value.numerator), isqrt(value.denominator)
        if Fraction(top * top, bottom * bottom) == value:
            return Fraction(top, bottom)
        self.rounded = True
        scale = 10**_ROOT_DIGITS
        return Fraction(isqrt(value.numerator * scale * scale // value.denominator), scale)


def _combined(operator: str, value: Fraction, factor: Fraction) -> Fraction:
    if operator == "times":
        return value * factor
    if not factor:
        raise UncalculableError("Nothing can be divided by zero.")
    return value / factor if operator == "over" else value % factor


def _raised(value: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        raise UncalculableError("I can only take powers with whole numbers.")
    if not value and exponent < 0:
        raise UncalculableError("Nothing can be divided by zero.")
    bits = max(value.numerator.bit_length(), value.denominator.bit_length())
    if abs(value) != 1 and bits * abs(exponent) > LARGEST_BITS:
        raise UncalculableError("The result is too long to say.")
    # A power of one with a huge exponent would otherwise take as long as any other.
    return value ** int(exponent) if abs(value) != 1 else value ** int(exponent % 2)


def _factorial(value: Fraction) -> Fraction:
    if value.denominator != 1 or value < 0:
        raise UncalculableError("Only whole numbers have a factorial.")
    if value > LARGEST_FACTORIAL:
        raise UncalculableError("The result is too long to say.")
    return Fraction(factorial(int(value)))
