"""The reply's way to the client's ear, packet by packet, by a clock that the test controls."""

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
"""Seconds: in the middle between two ticks."""


class Listener:
    """Takes packets as aiortc does, and notes when, and whether they held something of the reply."""

    def __init__(self) -> None:
        self.speaker = AudioSender()
        self.packets: list[tuple[float, bool]] = []

    async def take(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = self.speaker.heard_seconds
            await self.speaker.recv()
            self.packets.append((loop.time(), self.speaker.heard_seconds > before))

    @property
    def sound(self) -> list[float]:
        """When each packet of the reply was taken."""
        return [at for at, loud in self.packets if loud]


async def listened(listener: Listener, script: Coroutine[Any, Any, None]) -> None:
    """Take packets while *script* goes on, and for some seconds more."""
    taking = asyncio.create_task(listener.take())
    await script
    await asyncio.sleep(5.0)
    taking.cancel()


def test_a_reply_begins_at_once_and_comes_in_real_time() -> None:
    """The first packet does not wait for a tick of the clock, and a second lasts a second."""
    listener = Listener()

    async def reply() -> None:
        listener.speaker.wake()
        await asyncio.sleep(LATE_PLAY)
        listener.speaker.play(SECOND)
        await listener.speaker.played()

    in_virtual_time(listened(listener, reply()))

    assert listener.sound[0] == pytest.approx(LATE_PLAY)
    assert len(listener.sound) == len(SECOND) // FRAME_BYTES
    assert listener.sound[-1] - listener.sound[0] == pytest.approx(1.0 - FRAME_SECONDS)


def test_a_stall_is_caught_up_with() -> None:
    """The reply ends when it always would have, if the process was away for a moment only."""
    listener = Listener()

    async def reply() -> None:
        listener.speaker.play(SECOND)
        asyncio.get_running_loop().call_later(0.5, block, 0.1)
        await listener.speaker.played()

    in_virtual_time(listened(listener, reply()))

    assert listener.sound[-1] == pytest.approx(1.0 - FRAME_SECONDS)


def test_nothing_is_sent_while_nothing_is_said() -> None:
    """After some silence, in which the client's jitter buffer empties."""
    listener = Listener()

    async def reply() -> None:
        listener.speaker.play(SECOND[: 5 * FRAME_BYTES])
        await listener.speaker.played()

    in_virtual_time(listened(listener, reply()))

    assert [loud for _, loud in listener.packets] == [True] * 5 + [False] * TRAILING_FRAMES


def test_a_reply_that_is_hushed_ends_with_the_packet() -> None:
    """No more of it is sent, and what was heard is known to the packet."""
    listener = Listener()

    async def reply() -> None:
        listener.speaker.play(SECOND)
        await asyncio.sleep(0.25)
        listener.speaker.hush()

    in_virtual_time(listened(listener, reply()))

    assert listener.sound[-1] <= 0.25
    assert listener.speaker.heard_seconds == pytest.approx(len(listener.sound) * FRAME_SECONDS)
    assert [loud for _, loud in listener.packets[len(listener.sound) :]] == [False] * TRAILING_FRAMES
