"""Units of measure and their sizes.

Sources: the international yard (0.9144 m) and pound (0.45359237 kg) of 1959; the US liquid gallon of 231 cubic inches;
the kelvin, the degree Celsius (273.15 K at 0) and the degree Fahrenheit (five ninths of a kelvin, 32 at 273.15 K).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Measure:
    """A unit: its size in the base unit of its dimension, and that of its zero."""

    dimension: str
    singular: str
    plural: str
    factor: Fraction
    offset: Fraction = Fraction(0)

    def name(self, number: Fraction) -> str:
        return self.singular if number == 1 else self.plural


_ZERO_CELSIUS = Fraction("273.15")
_FAHRENHEIT = Fraction(5, 9)

_TABLE: tuple[tuple[str, str, str, str, str], ...] = (
    # dimension, size in the base unit, singular, plural, other names
    ("length", "0.001", "millimeter", "millimeters", "millimetre millimetres mm"),
    ("length", "0.01", "centimeter", "centimeters", "centimetre centimetres cm"),
    ("length", "1", "meter", "meters", "metre metres m"),
    ("length", "1000", "kilometer", "kilometers", "kilometre kilometres km kms"),
    ("length", "0.0254", "inch", "inches", ""),
    ("length", "0.3048", "foot", "feet", "ft"),
    ("length", "0.9144", "yard", "yards", "yd yds"),
    ("length", "1609.344", "mile", "miles", "mi"),
    ("mass", "0.001", "gram", "grams", "gramme grammes g"),
    ("mass", "1", "kilogram", "kilograms", "kilo kilos kg kgs"),
    ("mass", "1000", "tonne", "tonnes", ""),
    ("mass", "0.028349523125", "ounce", "ounces", "oz"),
    ("mass", "0.45359237", "pound", "pounds", "lb lbs"),
    ("mass", "6.35029318", "stone", "stone", "stones"),
    ("time", "0.001", "millisecond", "milliseconds", "ms"),
    ("time", "1", "second", "seconds", "sec secs"),
    ("time", "60", "minute", "minutes", "min mins"),
    ("time", "3600", "hour", "hours", "hr hrs"),
    ("time", "86400", "day", "days", ""),
    ("time", "604800", "week", "weeks", ""),
    ("time", "31536000", "year", "years", ""),
    ("volume", "0.001", "milliliter", "milliliters", "millilitre millilitres ml"),
    ("volume", "1", "liter", "liters", "litre litres l"),
    ("volume", "3.785411784", "gallon", "gallons", ""),
    ("volume", "0.473176473", "pint", "pints", ""),
    ("volume", "0.2365882365", "cup", "cups", ""),
    ("speed", "3.6", "meter per second", "meters per second", ""),
    ("speed", "1", "kilometer per hour", "kilometers per hour", "kph"),
    ("speed", "1.609344", "mile per hour", "miles per hour", "mph"),
)
_TEMPERATURES = (
    (Measure("temperature", "degree Celsius", "degrees Celsius", Fraction(1), _ZERO_CELSIUS), "celsius centigrade c"),
    (
        Measure(
            "temperature", "degree Fahrenheit", "degrees Fahrenheit", _FAHRENHEIT, _ZERO_CELSIUS - 32 * _FAHRENHEIT
        ),
        "fahrenheit f",
    ),
    (Measure("temperature", "kelvin", "kelvins", Fraction(1)), "kelvin kelvins k"),
)


MEASURES: Mapping[str, Measure] = {
    name: Measure(dimension, singular, plural, Fraction(size))
    for dimension, size, singular, plural, others in _TABLE
    for name in (singular, plural, *others.split())
} | {name: measure for measure, names in _TEMPERATURES for name in names.split()}
"""Units by each of their names."""
