"""Sending a reply's audio to the client, packet by packet, in virtual time."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from tests.virtual_time import block, in_virtual_time
from voice_core.adapters.aiortc_sessions.audio_sender import (
    FRAME_BYTES,
    FRAME_SECONDS,
    TRAILING_FRAMES,
    AudioSender,
)

SECOND = b"\x10\x10" * 24_000
LATE_PLAY = 0.313
"""Seconds until the reply is played: between two ticks of 20 ms."""


class Listener:
    """Takes packets as aiortc does, and records when, and whether they contained sound of the reply."""

    def __init__(self) -> None:
        self.sender = AudioSender()
        self.packets: list[tuple[float, bool]] = []

    async def take(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = self.sender.heard_seconds
            await self.sender.recv()
            self.packets.append((loop.time(), self.sender.heard_seconds > before))

    @property
    def sound(self) -> list[float]:
        """The times at which packets of the reply were taken."""
        return [at for at, loud in self.packets if loud]


async def listened(listener: Listener, script: Coroutine[Any, Any, None]) -> None:
    """Take packets while *script* runs, and for 5 s after it."""
    taking = asyncio.create_task(listener.take())
    await script
    await asyncio.sleep(5.0)
    taking.cancel()


def test_a_reply_begins_at_once_and_is_sent_in_real_time() -> None:
    """The first packet does not wait for a tick of the clock, and one second of sound is sent in one second."""
    listener = Listener()

    async def reply() -> None:
        listener.sender.wake()
        await asyncio.sleep(LATE_PLAY)
        listener.sender.play(SECOND)
        await listener.sender.played()

    in_virtual_time(listened(listener, reply()))

    assert listener.sound[0] == pytest.approx(LATE_PLAY)
    assert len(listener.sound) == len(SECOND) // FRAME_BYTES
    assert listener.sound[-1] - listener.sound[0] == pytest.approx(1.0 - FRAME_SECONDS)


def test_a_short_stall_is_made_up_for() -> None:
    """After the process was blocked for 100 ms, the reply still ends at its original time."""
    listener = Listener()

    async def reply() -> None:
        listener.sender.play(SECOND)
        asyncio.get_running_loop().call_later(0.5, block, 0.1)
        await listener.sender.played()

    in_virtual_time(listened(listener, reply()))

    assert listener.sound[-1] == pytest.approx(1.0 - FRAME_SECONDS)


def test_no_packets_are_sent_while_there_is_no_reply() -> None:
    """After a reply, `TRAILING_FRAMES` packets of silence empty the client's jitter buffer; then no packet follows."""
    listener = Listener()

    async def reply() -> None:
        listener.sender.play(SECOND[: 5 * FRAME_BYTES])
        await listener.sender.played()

    in_virtual_time(listened(listener, reply()))

    assert [loud for _, loud in listener.packets] == [True] * 5 + [False] * TRAILING_FRAMES


def test_a_reply_that_is_hushed_ends_with_the_packet() -> None:
    """No further packet of the reply is sent, and `heard_seconds` is exact to the packet."""
    listener = Listener()

    async def reply() -> None:
        listener.sender.play(SECOND)
        await asyncio.sleep(0.25)
        listener.sender.hush()

    in_virtual_time(listened(listener, reply()))

    assert listener.sound[-1] <= 0.25
    assert listener.sender.heard_seconds == pytest.approx(len(listener.sound) * FRAME_SECONDS)
    assert [loud for _, loud in listener.packets[len(listener.sound) :]] == [False] * TRAILING_FRAMES
