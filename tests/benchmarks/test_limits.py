"""The benchmark of limits, small; and that it would notice."""

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
def test_admissions_too_many_are_counted(moments: list[int], over: int) -> None:
    """Each that is not among the first two of the minute that ends with it, in whatever order they are told."""
    assert limits.too_many(moments, 2, 60_000) == over


async def test_workers_admit_no_more_and_tell_true_waits() -> None:
    """Two processes and ten users, with a window of two seconds."""
    size = limits.Size(workers=2, users=10, most=4, window_seconds=2, asking_seconds=2, waiting_seconds=4)
    rate_limiter, waits = [figure async for figure in limits.limits(size)]

    assert rate_limiter.facts["over_percent"] == 0
    assert rate_limiter.facts["failed"] == 0
    assert len(rate_limiter.values) > 40
    assert len(waits.values) > 5
    assert waits.facts["in_vain"] == 0
