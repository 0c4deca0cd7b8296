"""How many calls go to a provider at once, and what becomes of the others."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from voice_core.domain.errors import AtCapacity
from voice_core.usecases.resilience.bulkhead import Bulkhead


async def held(stack: AsyncExitStack, bulkhead: Bulkhead, places: int) -> None:
    for _ in range(places):
        await stack.enter_async_context(bulkhead.place("stt"))


async def test_no_more_than_that_at_once() -> None:
    """Who finds no place in time is told so, with the stage and when to come back."""
    bulkhead = Bulkhead(2, 0.01)
    async with AsyncExitStack() as stack:
        await held(stack, bulkhead, 2)
        with pytest.raises(AtCapacity) as refused:
            await held(stack, bulkhead, 1)
    assert (refused.value.code, refused.value.stage, refused.value.retryable) == ("stage-busy", "stt", True)
    assert refused.value.retry_after == 1
    async with AsyncExitStack() as stack:
        await held(stack, bulkhead, 2)


async def test_a_place_that_becomes_free_in_time_is_taken() -> None:
    """A short wait is not told to anybody."""
    bulkhead = Bulkhead(1, 5.0)
    async with AsyncExitStack() as stack:
        async with bulkhead.place("stt"):
            waiting = asyncio.create_task(held(stack, bulkhead, 1))
            await asyncio.sleep(0)
            assert not waiting.done()
        await waiting


async def test_clips_have_a_part_only() -> None:
    """However many clips wait, the rest of the places is for those who hold the button."""
    bulkhead = Bulkhead(4, 0.01)
    clips = bulkhead.part(1)
    async with AsyncExitStack() as stack:
        await held(stack, clips, 1)
        async with AsyncExitStack() as later:
            waiting = [asyncio.create_task(held(later, clips, 1)) for _ in range(3)]
            await asyncio.sleep(0)
            await held(stack, bulkhead, 3)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        with pytest.raises(AtCapacity):
            await held(stack, bulkhead, 1)


async def test_clips_wait_as_long_as_it_takes() -> None:
    """Nobody listens to a clip's silence: it is never refused."""
    bulkhead = Bulkhead(1, 0.0)
    async with AsyncExitStack() as stack:
        async with bulkhead.place("stt"):
            waiting = asyncio.create_task(held(stack, bulkhead.part(1), 1))
            await asyncio.sleep(0.02)
            assert not waiting.done()
        await waiting


async def test_whoever_leaves_the_queue_takes_no_place() -> None:
    """A caller that hangs up while it waits leaves its place to the next."""
    bulkhead = Bulkhead(1, 5.0)
    async with AsyncExitStack() as stack:
        async with bulkhead.place("stt"):
            gone = asyncio.create_task(held(stack, bulkhead, 1))
            await asyncio.sleep(0)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
        await held(stack, bulkhead, 1)
