"""How work grows with its input, counted: Python calls and peak bytes, not seconds."""

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any

MOST_GROWTH = 5.0
"""Times that four times the input may cost."""


def calls(work: Callable[[], object]) -> int:
    """Calls of functions, Python's and native ones, that *work* makes in this thread."""
    count = 0

    def profile(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def peak_bytes(work: Callable[[], object]) -> int:
    """Most bytes that Python's allocator holds for *work* at a time."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def assert_linear(work: Callable[[int], Callable[[], object]], size: int) -> None:
    """The work for four times *size* costs at most `MOST_GROWTH` times the calls and the bytes."""
    work(size)()
    for measured in (calls, peak_bytes):
        one, four = (measured(work(count)) for count in (size, 4 * size))
        assert four <= MOST_GROWTH * one, f"{measured.__name__}: {one} for {size}, {four} for {4 * size}"
