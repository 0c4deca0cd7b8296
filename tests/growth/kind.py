"""One kind of input whose work is measured."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.conftest import Product
from tests.growth.work import Work


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of input of any size."""

    size: int
    """Parts of the smaller input; the larger has four times as many."""
    prepare: Callable[[int], Work]
    """Makes the input of a size, and returns what parses it."""


@dataclass(frozen=True, slots=True)
class RequestKind:
    """A kind of request to the running product."""

    route: str
    """Method and path, as `function_app` registers them."""
    size: int
    prepare: Callable[[Product, int], Awaitable[Work]]
