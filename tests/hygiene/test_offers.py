"""Damaged SDP offers."""

import asyncio
import random
from collections.abc import Callable, Iterator

import pytest

from fakes.eventually import eventually
from fakes.webrtc import Caller
from voice_core.adapters.aiortc_sessions.peers import AiortcPeers
from voice_core.domain.errors import InvalidInput

DAMAGED = 120


@pytest.fixture
async def offer() -> str:
    caller = Caller()
    try:
        return await caller.offer()
    finally:
        await caller.close()


def without_lines(offer: str) -> Iterator[str]:
    """*offer* without one of its lines, for each line."""
    lines = offer.splitlines(keepends=True)
    for number in range(len(lines)):
        yield "".join(lines[:number] + lines[number + 1 :])


def with_changed_characters(offer: str) -> Iterator[str]:
    """*offer* with one to five characters replaced, `DAMAGED` times."""
    chance = random.Random(1)
    for _ in range(DAMAGED):
        characters = list(offer)
        for _ in range(chance.randint(1, 5)):
            characters[chance.randrange(len(characters))] = chr(chance.randrange(32, 127))
        yield "".join(characters)


@pytest.mark.parametrize("damaged", [without_lines, with_changed_characters])
async def test_a_damaged_offer_is_answered_or_refused(offer: str, damaged: Callable[[str], Iterator[str]]) -> None:
    """A damaged offer gets an answer or a typed error, and leaves no connection behind."""
    before = asyncio.all_tasks()
    refused = 0
    for each in damaged(offer):
        try:
            peer = await AiortcPeers().answer(each, ())
            await peer.aclose()
        except InvalidInput:
            refused += 1
    assert refused
    await eventually(lambda: asyncio.all_tasks() <= before)


async def test_media_without_a_direction_go_both_ways(offer: str) -> None:
    """Media without a direction attribute, which many libraries omit, are sendrecv, as in RFC 8866."""
    peer = await AiortcPeers().answer(offer.replace("a=sendrecv\r\n", ""), ())
    await peer.aclose()

    assert "a=sendrecv" in peer.answer
