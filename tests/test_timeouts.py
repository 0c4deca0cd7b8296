"""Timeouts, on a loop whose time a test controls."""

import asyncio

import pytest

from tests.virtual_time import block, in_virtual_time
from voice_core.timeouts import TICK_SECONDS, running_time, timeout


async def elapsed(patience_seconds: float, *, after_seconds: float, blocked_seconds: float) -> float:
    """When a wait ended that nobody answers, and during which the loop was blocked for a while once."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    loop.call_later(after_seconds, block, blocked_seconds)
    with pytest.raises(TimeoutError):
        async with timeout(patience_seconds):
            await asyncio.Event().wait()
    return loop.time() - began


def test_who_does_not_answer_is_waited_for_so_long_and_no_longer() -> None:
    """Without a stall the time is the clock's."""
    assert in_virtual_time(elapsed(2.0, after_seconds=9.0, blocked_seconds=0.0)) == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize("blocked_seconds", [1.0, 10.0, 1000.0])
def test_a_stall_of_our_own_is_not_counted(blocked_seconds: float) -> None:
    """However long the loop was blocked: no more than a tick of it."""
    took = in_virtual_time(elapsed(2.0, after_seconds=0.5, blocked_seconds=blocked_seconds))

    assert 2.0 + blocked_seconds - TICK_SECONDS <= took <= 2.0 + blocked_seconds + 0.01


def test_an_answer_that_came_during_a_stall_is_heard() -> None:
    """Also one that takes several turns of the loop to arrive."""

    async def answered() -> str:
        loop, answer = asyncio.get_running_loop(), asyncio.Event()
        loop.call_later(0.1, block, 60.0)
        async with timeout(2.0):
            await asyncio.sleep(0.2)
            for _ in range(10):
                await asyncio.sleep(0)
            answer.set()
            await answer.wait()
        return "heard"

    assert in_virtual_time(answered()) == "heard"


def test_a_loop_that_is_blocked_again_and_again_ends_all_the_same() -> None:
    """Every time it runs between two stalls is counted."""

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
    """None waits until it is started, and to start again begins anew."""

    async def waits() -> None:
        async with timeout(None) as patience:
            await asyncio.sleep(100.0)
            patience.start(5.0)
            await asyncio.sleep(4.0)
            assert patience.waited_seconds == pytest.approx(4.0, abs=0.01)
            patience.start(3.0)
            await asyncio.Event().wait()

    async def ends() -> float:
        with pytest.raises(TimeoutError):
            await waits()
        return asyncio.get_running_loop().time()

    assert in_virtual_time(ends()) == pytest.approx(107.0, abs=0.01)


def test_nothing_ticks_when_nobody_waits() -> None:
    """The loop of an idle worker sleeps."""

    async def idle() -> int:
        async with timeout(1.0):
            with running_time():
                await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        return sum(not timer.cancelled() for timer in loop._scheduled)  # type: ignore[attr-defined]

    assert in_virtual_time(idle()) == 0
