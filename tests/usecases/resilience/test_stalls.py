"""A stall of our own event loop: it is no failure of the store, and opens neither limits nor breakers."""

import asyncio

import pytest

from fakes.scripted_ports import ScriptedUsageStore
from tests.virtual_time import block, in_virtual_time
from voice_core.domain.limits import DailyQuota, Rate, Usage
from voice_core.usecases.limits.rate_limiter import LimitRules, RateLimiter
from voice_core.usecases.resilience.circuit_breaker import CircuitBreaker
from voice_core.usecases.resilience.guarded_ports import Guard, guarded_store

MOST = 3
LIMITS_SECONDS = 2.0


class DistantUsageStore(ScriptedUsageStore):
    """A count at the other end of a network: each response takes half a second and some turns of the event loop."""

    async def admit(self, user_id: str, rate: Rate, quota: DailyQuota | None, now: int) -> tuple[bool, Usage]:
        await asyncio.sleep(0.5)
        for _ in range(10):
            await asyncio.sleep(0)
        return await super().admit(user_id, rate, quota, now)


@pytest.mark.parametrize("stall_seconds", [0.0, 3.0, 3600.0])
def test_a_stall_admits_no_request_uncounted(stall_seconds: float) -> None:
    """Requests in progress during a stall are counted, and the store is not suspended afterwards."""
    store, breaker = DistantUsageStore(), CircuitBreaker("limits", failures=2, seconds=15.0)
    guarded = guarded_store(store, Guard("limits", breaker, timeout_seconds=LIMITS_SECONDS), LIMITS_SECONDS)
    rules = LimitRules({"turns": Rate("turns", MOST, 60)}, DailyQuota(10), when_down="open")
    rate_limiter = RateLimiter(guarded, rules, clock=lambda: 1_700_000_000.0)

    async def rush() -> list[bool]:
        asyncio.get_running_loop().call_later(0.2, block, stall_seconds)
        statuses = await asyncio.gather(*(rate_limiter.admit("ann", "turns", hears=False) for _ in range(20)))
        return [status.admitted for status in statuses]

    admitted = in_virtual_time(rush())

    assert admitted.count(True) == MOST
    assert store.calls == 20
    assert breaker.state == "closed"
