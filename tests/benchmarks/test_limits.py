"""A small run of the benchmark of limits, and its count of excess admissions."""

import pytest

from benchmarks import limits


@pytest.mark.parametrize(
    ("moments", "over"),
    [
        ([0, 1_000, 60_000, 61_000], 0),
        ([0, 1_000, 59_900], 1),
        ([59_900, 0, 1_000, 2_000], 2),
        ([], 0),
    ],
)
def test_admissions_over_the_limit_are_counted(moments: list[int], over: int) -> None:
    """An admission counts if two others came before it in the minute that ends with it, in any order of input."""
    assert limits.too_many(moments, 2, 60_000) == over


async def test_workers_keep_the_limit_and_give_exact_waits() -> None:
    """Two processes keep the limits of ten users in a window of two seconds, and their waits are exact."""
    size = limits.Size(workers=2, users=10, limit=4, window_seconds=2, offering_seconds=2, waiting_seconds=4)
    rate_limiter, waits = [figure async for figure in limits.limits(size)]

    assert rate_limiter.facts["over_percent"] == 0
    assert rate_limiter.facts["failed"] == 0
    assert len(rate_limiter.values) > 40
    assert len(waits.values) > 5
    assert waits.facts["refused_again"] == 0
