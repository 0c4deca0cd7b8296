"""How the work for an input grows with its size: counted, so that it is the same on every machine."""

import tracemalloc
from collections.abc import Awaitable, Callable

from tests.growth.work import Cost, counted_calls

TIMES = 4
"""How much larger the second input is."""

MOST_GROWTH = 5.0
"""Work that is linear grows by `TIMES`; work that is quadratic grows by sixteen."""

FREE_CALLS = 200
FREE_BYTES = 20_000
"""Added to both: what any input costs, however small."""


def cost(work: Callable[[], object]) -> Cost:
    """The cost of *work*, which may raise an error."""
    work = _ignoring_errors(work)
    # The first run builds what later ones use again, such as compiled patterns.
    work()
    return Cost(_calls(work), _peak_bytes(work))


def growth(work: Callable[[int], Callable[[], object]], size: int) -> tuple[float, float]:
    """By what factor calls and memory grow from input of *size* to `TIMES` as much; *work* prepares an input."""
    small, large = cost(work(size)), cost(work(size * TIMES))
    return (
        (large.calls + FREE_CALLS) / (small.calls + FREE_CALLS),
        (large.peak_bytes + FREE_BYTES) / (small.peak_bytes + FREE_BYTES),
    )


def assert_linear(work: Callable[[int], Callable[[], object]], size: int) -> None:
    """`growth` of calls and memory is at most `MOST_GROWTH`."""
    calls, memory = growth(work, size)
    assert calls <= MOST_GROWTH, f"calls: {calls:.1f} times"
    assert memory <= MOST_GROWTH, f"memory: {memory:.1f} times"


def grows_linearly(work: Callable[[int], object], size: int) -> bool:
    """Whether *work* of `TIMES` as much takes at most `MOST_GROWTH` times the calls."""
    counts = []
    for each in (size, TIMES * size):
        with counted_calls() as calls:
            work(each)
        counts.append(next(calls))
    return counts[1] <= MOST_GROWTH * counts[0]


async def grows_linearly_async(work: Callable[[int], Awaitable[object]], size: int) -> bool:
    """`grows_linearly` for a coroutine function, the event loop's own calls included."""
    counts = []
    for each in (size, TIMES * size):
        with counted_calls() as calls:
            await work(each)
        counts.append(next(calls))
    return counts[1] <= MOST_GROWTH * counts[0]


def _calls(work: Callable[[], object]) -> int:
    with counted_calls() as calls:
        work()
    return next(calls)


def _peak_bytes(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def _ignoring_errors(work: Callable[[], object]) -> Callable[[], object]:
    def run() -> None:
        try:
            work()
        except Exception:  # noqa: BLE001 - a refusal costs something as well
            return

    return run
