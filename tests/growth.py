"""How the work for an input grows with its size: the number of Python calls, which no busy machine changes."""

import sys
from collections.abc import Awaitable, Callable
from typing import Any

MOST = 5.0
"""Calls for four times the size may be as many times those for the size: linear work, and some for its overhead."""


class Calls:
    """Counts the calls of Python functions in this thread."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> "Calls":
        sys.setprofile(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _called(self, _frame: Any, event: str, _argument: Any) -> None:
        self.count += event in ("call", "c_call")


def grows_linearly(work: Callable[[int], object], size: int) -> bool:
    """Whether *work* of four times *size* takes at most `MOST` times the calls."""
    counts = []
    for each in (size, 4 * size):
        with Calls() as calls:
            work(each)
        counts.append(calls.count)
    return counts[1] <= MOST * counts[0]


async def grows_linearly_async(work: Callable[[int], Awaitable[object]], size: int) -> bool:
    """`grows_linearly` for a coroutine function, the event loop's own calls included."""
    counts = []
    for each in (size, 4 * size):
        with Calls() as calls:
            await work(each)
        counts.append(calls.count)
    return counts[1] <= MOST * counts[0]
