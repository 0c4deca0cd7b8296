"""The SQL functions that a condition may call."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulators.cosmos.values import UNDEFINED, compare


@dataclass(frozen=True, slots=True)
class Function:
    """A function, and the numbers of arguments it accepts."""

    call: Callable[..., Any]
    arguments: tuple[int, ...]


def _is_defined(value: Any) -> bool:
    return value is not UNDEFINED


def _starts_with(text: Any, prefix: Any, ignore_case: Any = False) -> Any:
    return _texts(str.startswith, text, prefix, ignore_case)


def _contains(text: Any, part: Any, ignore_case: Any = False) -> Any:
    return _texts(str.__contains__, text, part, ignore_case)


def _texts(test: Callable[[str, str], bool], text: Any, part: Any, ignore_case: Any) -> Any:
    if not isinstance(text, str) or not isinstance(part, str):
        return UNDEFINED
    return test(text.lower(), part.lower()) if ignore_case is True else test(text, part)


def _array_contains(array: Any, value: Any) -> Any:
    if not isinstance(array, list):
        return UNDEFINED
    return any(compare("=", element, value) is True for element in array)


FUNCTIONS = {
    "IS_DEFINED": Function(_is_defined, (1,)),
    "STARTSWITH": Function(_starts_with, (2, 3)),
    "CONTAINS": Function(_contains, (2, 3)),
    "ARRAY_CONTAINS": Function(_array_contains, (2,)),
}
