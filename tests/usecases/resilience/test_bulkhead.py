"""Limits of the concurrent calls of a provider, and the waiting and refusal of further calls."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from voice_core.domain.errors import AtCapacity
from voice_core.usecases.resilience.bulkhead import Bulkhead


async def take_slots(stack: AsyncExitStack, bulkhead: Bulkhead, slots: int) -> None:
    for _ in range(slots):
        await stack.enter_async_context(bulkhead.slot("stt"))


async def test_calls_beyond_the_limit_are_refused() -> None:
    """A call that gets no slot in time is refused with the stage and a retry time."""
    bulkhead = Bulkhead(2, 0.01)
    async with AsyncExitStack() as stack:
        await take_slots(stack, bulkhead, 2)
        with pytest.raises(AtCapacity) as refused:
            await take_slots(stack, bulkhead, 1)
    assert (refused.value.code, refused.value.stage, refused.value.retryable) == ("stage-busy", "stt", True)
    assert refused.value.retry_after == 1
    async with AsyncExitStack() as stack:
        await take_slots(stack, bulkhead, 2)


async def test_a_slot_that_becomes_free_in_time_is_taken() -> None:
    """A call that waits only shortly for its slot succeeds."""
    bulkhead = Bulkhead(1, 5.0)
    async with AsyncExitStack() as stack:
        async with bulkhead.slot("stt"):
            waiting = asyncio.create_task(take_slots(stack, bulkhead, 1))
            await asyncio.sleep(0)
            assert not waiting.done()
        await waiting


async def test_clips_have_only_a_share_of_the_slots() -> None:
    """However many clips wait, the other slots remain free for turns."""
    bulkhead = Bulkhead(4, 0.01)
    clips = bulkhead.share(1)
    async with AsyncExitStack() as stack:
        await take_slots(stack, clips, 1)
        async with AsyncExitStack() as later:
            waiting = [asyncio.create_task(take_slots(later, clips, 1)) for _ in range(3)]
            await asyncio.sleep(0)
            await take_slots(stack, bulkhead, 3)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        with pytest.raises(AtCapacity):
            await take_slots(stack, bulkhead, 1)


async def test_clips_wait_for_a_slot_without_limit() -> None:
    """A clip is never refused a slot, because no user is waiting for it."""
    bulkhead = Bulkhead(1, 0.0)
    async with AsyncExitStack() as stack:
        async with bulkhead.slot("stt"):
            waiting = asyncio.create_task(take_slots(stack, bulkhead.share(1), 1))
            await asyncio.sleep(0.02)
            assert not waiting.done()
        await waiting


async def test_a_cancelled_wait_takes_no_slot() -> None:
    """A caller that disconnects while it waits leaves its slot to the next."""
    bulkhead = Bulkhead(1, 5.0)
    async with AsyncExitStack() as stack:
        async with bulkhead.slot("stt"):
            gone = asyncio.create_task(take_slots(stack, bulkhead, 1))
            await asyncio.sleep(0)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
        await take_slots(stack, bulkhead, 1)
