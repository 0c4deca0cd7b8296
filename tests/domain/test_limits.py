"""A refusal names the limit and the time after which the same request is admitted."""

import pytest

from voice_core.domain.errors import LimitReached
from voice_core.domain.limits import DailyQuota, LimitStatus, Remainder


@pytest.mark.parametrize(
    ("count", "wait_seconds", "retry_after"), [(0, 12.3, 13), (0, 0.0, 1), (3, 0.0, 1), (3, 5.0, 5)]
)
def test_a_refusal_has_a_wait(count: int, wait_seconds: float, retry_after: int) -> None:
    """Also when the limit was reset between the refusal and its report, so that none is used up any more."""
    status = LimitStatus(admitted=False, left=[Remainder(DailyQuota(60), count, wait_seconds)])
    with pytest.raises(LimitReached, match="60 seconds of sound") as refused:
        status.check()
    assert refused.value.retry_after == retry_after
    assert refused.value.extra["violated-policies"] == ["audio"]
