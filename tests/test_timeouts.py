"""Timeouts, on a loop whose time a test controls."""

import asyncio

import pytest

from tests.virtual_time import block, in_virtual_time
from voice_core.timeouts import TICK_SECONDS, running_time, timeout


async def elapsed(timeout_seconds: float, *, after_seconds: float, blocked_seconds: float) -> float:
    """Time until the timeout of an endless wait, during which the loop is blocked once for *blocked_seconds*."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    loop.call_later(after_seconds, block, blocked_seconds)
    with pytest.raises(TimeoutError):
        async with timeout(timeout_seconds):
            await asyncio.Event().wait()
    return loop.time() - began


def test_a_wait_ends_after_the_timeout() -> None:
    """Without a stall the timeout is that of the clock."""
    assert in_virtual_time(elapsed(2.0, after_seconds=9.0, blocked_seconds=0.0)) == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize("blocked_seconds", [1.0, 10.0, 1000.0])
def test_time_of_a_blocked_event_loop_is_not_counted(blocked_seconds: float) -> None:
    """No more than a tick of a stall is counted, however long the stall is."""
    took = in_virtual_time(elapsed(2.0, after_seconds=0.5, blocked_seconds=blocked_seconds))

    assert 2.0 + blocked_seconds - TICK_SECONDS <= took <= 2.0 + blocked_seconds + 0.01


def test_a_response_that_arrives_during_a_stall_is_received() -> None:
    """A response counts as in time even if it takes several iterations of the loop to arrive."""

    async def responds() -> str:
        loop, arrived = asyncio.get_running_loop(), asyncio.Event()
        loop.call_later(0.1, block, 60.0)
        async with timeout(2.0):
            await asyncio.sleep(0.2)
            for _ in range(10):
                await asyncio.sleep(0)
            arrived.set()
            await arrived.wait()
        return "received"

    assert in_virtual_time(responds()) == "received"


def test_repeated_stalls_do_not_prevent_the_timeout() -> None:
    """The time in which the loop runs between two stalls is counted."""

    async def waited() -> None:
        loop = asyncio.get_running_loop()

        def stall() -> None:
            block(5.0)
            loop.call_later(0.2, stall)

        loop.call_later(0.2, stall)
        with pytest.raises(TimeoutError):
            async with timeout(1.0):
                await asyncio.Event().wait()

    in_virtual_time(waited())


def test_a_timeout_can_be_started_later() -> None:
    """With None the timeout begins at `start`, and starting it again begins anew."""

    async def waits() -> None:
        async with timeout(None) as running:
            await asyncio.sleep(100.0)
            running.start(5.0)
            await asyncio.sleep(4.0)
            assert running.waited_seconds == pytest.approx(4.0, abs=0.01)
            running.start(3.0)
            await asyncio.Event().wait()

    async def ends() -> float:
        with pytest.raises(TimeoutError):
            await waits()
        return asyncio.get_running_loop().time()

    assert in_virtual_time(ends()) == pytest.approx(107.0, abs=0.01)


def test_no_timer_runs_without_a_waiter() -> None:
    """The loop of an idle worker has no scheduled timer."""

    async def idle() -> int:
        async with timeout(1.0):
            with running_time():
                await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        return sum(not timer.cancelled() for timer in loop._scheduled)  # type: ignore[attr-defined]

    assert in_virtual_time(idle()) == 0
