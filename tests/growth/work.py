"""The work for one input: calls and bytes, which are the same on every machine."""

import gc
import sys
import threading
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

Work = Callable[[], Awaitable[object]]
"""Parses one input, which was prepared before."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of one input."""

    calls: int
    """Calls of functions, those in C included, in all threads."""
    peak_bytes: int
    """The most memory that Python's objects took at the same time."""


async def cost(calls_of: Work, bytes_of: Work) -> Cost:
    """The cost of two pieces of work that do the same: profiling and tracing would disturb each other."""
    with counted_calls() as calls:
        await calls_of()
    made = next(calls)
    gc.collect()
    tracemalloc.start()
    try:
        await bytes_of()
        return Cost(made, tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


@contextmanager
def counted_calls() -> Iterator["count[int]"]:
    """A counter of the calls that are made in the context; its next number is their count."""
    counter = count()

    def note(_frame: Any, event: str, _argument: Any) -> None:
        if event in ("call", "c_call"):
            next(counter)

    everywhere = getattr(threading, "setprofile_all_threads", threading.setprofile)
    everywhere(note)
    sys.setprofile(note)
    try:
        yield counter
    finally:
        sys.setprofile(None)
        everywhere(None)
