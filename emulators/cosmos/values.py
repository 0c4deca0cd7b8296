"""JSON values as Cosmos compares and orders them, and the value of a missing property.

https://learn.microsoft.com/cosmos-db/query/equality-comparison-operators: comparing values of different types is
undefined, and an undefined condition selects nothing, negated or not.
"""

import json
from collections.abc import Callable
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final


class Undefined:
    """The value of a property that a document does not have."""

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED: Final = Undefined()

_RANKS: Final[dict[type, int]] = {
    Undefined: 0,
    type(None): 1,
    bool: 2,
    int: 3,
    float: 3,
    str: 4,
    list: 5,
    dict: 6,
}

COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": eq,
    "!=": ne,
    "<>": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}


def rank(value: Any) -> int:
    """The rank of a value's type in the order of types: undefined, null, boolean, number, string, array, object."""
    return _RANKS[type(value)]


def compare(operator: str, left: Any, right: Any) -> Any:
    """True, False or UNDEFINED. Arrays and objects can be equal or unequal, but not less or greater."""
    if rank(left) != rank(right) or isinstance(left, Undefined):
        return UNDEFINED
    if isinstance(left, list | dict) and COMPARISONS[operator] not in (eq, ne):
        return UNDEFINED
    if left is None:
        return operator in ("=", "<=", ">=")
    return COMPARISONS[operator](left, right)


def sort_key(value: Any) -> list[Any]:
    """A JSON list that sorts in the order of the values: the type's rank, then the value itself."""
    if isinstance(value, list | dict):
        return [rank(value), json.dumps(value, sort_keys=True)]
    return [rank(value), 0 if value is None or isinstance(value, Undefined) else value]


def both(left: Any, right: Any) -> Any:
    """AND: false beats undefined, undefined beats true. Any value but a boolean counts as undefined."""
    if left is False or right is False:
        return False
    return True if left is True and right is True else UNDEFINED


def either(left: Any, right: Any) -> Any:
    """OR: true beats undefined, undefined beats false."""
    if left is True or right is True:
        return True
    return False if left is False and right is False else UNDEFINED


def negated(value: Any) -> Any:
    """NOT: the negation of undefined is undefined."""
    return not value if isinstance(value, bool) else UNDEFINED
