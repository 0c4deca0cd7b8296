"""What is made of a client's packets, in order or not, and of those that do not come."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing, suppress
from math import inf

import pytest
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from tests.eventually import PATIENCE_SECONDS
from tests.sound import voice_like
from tests.virtual_time import in_virtual_time
from tests.webrtc import RATE, TICKS, encoded
from voice_core.adapters.aiortc_sessions.audio_receiver import CERTAIN_SECONDS, MISSING_SECONDS, AudioReceiver
from voice_core.adapters.aiortc_sessions.reorder_buffer import PATIENCE, ReorderBuffer
from voice_core.domain.audio import RECOGNITION_RATE, seconds

LAST = (1 << 32) - TICKS
"""The timestamp of a packet after which they begin anew."""


def packet(number: int, timestamp: int = 0, *, source: int = 1, payload: bytes = b"") -> RtpPacket:
    """One as aiortc hands it on."""
    made = RtpPacket(sequence_number=number % 65_536, timestamp=timestamp % (1 << 32), ssrc=source)
    made._data = payload  # type: ignore[attr-defined]
    return made


def numbers(packets: Sequence[RtpPacket]) -> list[int]:
    return [one.sequence_number for one in packets]


@given(st.integers(0, 65_535), st.permutations(range(12)))
def test_packets_are_put_in_order(first: int, order: list[int]) -> None:
    """None is heard twice or out of order, and none is lost that was overtaken by few."""
    late = max(position - number for position, number in enumerate(order))
    arrivals = ReorderBuffer()
    heard = list(arrivals.add(packet(first)))
    for number in order:
        heard += arrivals.add(packet(first + 1 + number))

    found = [(number - first) % 65_536 for number in numbers(heard)]
    assert found == sorted(set(found))
    if max(number - position for position, number in enumerate(order)) <= 1 and late <= PATIENCE:
        assert found == list(range(13))


def test_a_lost_packet_is_given_up() -> None:
    """Once enough others have come; when it does come it is too late."""
    arrivals = ReorderBuffer()
    heard = [numbers(list(arrivals.add(packet(number)))) for number in (10, 11, 13, 14, 15, 16, 12)]

    assert heard == [[10], [11], [], [], [], [13, 14, 15, 16], []]


@pytest.mark.parametrize(("anew", "source"), [(6_000, 1), (4_000, 1), (4_999, 2), (5_001, 2), (50_000, 2)])
def test_a_sender_that_begins_anew_is_heard_at_once(anew: int, source: int) -> None:
    """Ahead or behind, by another name or not."""
    arrivals = ReorderBuffer()
    list(arrivals.add(packet(5_000)))

    assert numbers(list(arrivals.add(packet(anew, source=source)))) == [anew]
    assert numbers(list(arrivals.add(packet(anew + 1, source=source)))) == [anew + 1]


@pytest.mark.parametrize(
    ("sent", "frames"),
    [
        pytest.param([(0, 0), (1, 1), (2, 2)], 3, id="all"),
        pytest.param([(0, 0), (1, 1), (3, 3), (4, 4), (5, 5), (6, 6)], 7, id="one lost"),
        pytest.param([(0, 0), (1, 20), (2, 40)], 41, id="silence left out"),
        pytest.param([(0, 0), (1, 90_000), (2, 90_001)], 3, id="a new clock"),
        pytest.param([(0, 9_000), (1, 10), (2, 11)], 3, id="a clock set back"),
    ],
)
@pytest.mark.parametrize("began", [0, LAST])
async def test_what_is_missing_between_packets_is_silence(
    sent: Sequence[tuple[int, int]], frames: int, began: int
) -> None:
    """As long as their timestamps say, though not when those make no sense."""
    microphone = AudioReceiver(lambda: inf)
    utterance = microphone.listen()
    for (number, moment), payload in zip(sent, encoded(voice_like(1.0, RATE)), strict=False):
        microphone.add(packet(number, began + moment * TICKS, payload=payload))
    microphone.stop()

    async with aclosing(utterance):
        pcm = b"".join([piece async for piece in utterance])
    assert seconds(len(pcm), RECOGNITION_RATE) == pytest.approx(frames * 0.02, abs=0.001)


@pytest.mark.parametrize("packets", [0, 5])
async def test_a_client_that_sends_nothing_is_silent(packets: int) -> None:
    """By the clock, so that an utterance ends though its sound has stopped coming."""
    microphone, began = AudioReceiver(lambda: inf), asyncio.get_running_loop().time()
    utterance = microphone.listen()
    for number, payload in zip(range(packets), encoded(voice_like(1.0, RATE)), strict=False):
        microphone.add(packet(number, number * TICKS, payload=payload))
    pcm = b""

    async with asyncio.timeout(PATIENCE_SECONDS), aclosing(utterance):
        async for piece in utterance:
            pcm += piece
            if seconds(len(pcm), RECOGNITION_RATE) > 2 * MISSING_SECONDS:
                break

    lasted = asyncio.get_running_loop().time() - began
    assert seconds(len(pcm), RECOGNITION_RATE) - 0.02 * packets <= lasted + 0.01
    assert not any(pcm[-3200:])


async def test_silence_is_not_made_twice() -> None:
    """What the clock has made already is no gap when the next packet tells of it."""
    microphone = AudioReceiver(lambda: inf)
    utterance = microphone.listen()
    first, second, *_ = encoded(voice_like(1.0, RATE))
    microphone.add(packet(0, payload=first))
    heard = 0.0
    async with asyncio.timeout(PATIENCE_SECONDS), aclosing(utterance):
        while heard < MISSING_SECONDS:
            heard += seconds(len(await anext(utterance)), RECOGNITION_RATE)
        microphone.add(packet(1, round((heard + 0.1) * RATE), payload=second))
        microphone.stop()
        rest = b"".join([piece async for piece in utterance])

    assert seconds(len(rest), RECOGNITION_RATE) == pytest.approx(0.1 + 0.02, abs=0.01)


def test_an_outage_is_no_silence() -> None:
    """A client that stops sending gets at most `CERTAIN_SECONDS` of generated silence, however long it is away."""

    async def heard() -> float:
        began = asyncio.get_running_loop().time()
        microphone = AudioReceiver(lambda: began)
        utterance, heard_seconds = microphone.listen(), 0.0
        async with aclosing(utterance):
            with suppress(TimeoutError):
                async with asyncio.timeout(60 * CERTAIN_SECONDS):
                    async for piece in utterance:
                        heard_seconds += seconds(len(piece), RECOGNITION_RATE)
        return heard_seconds

    assert in_virtual_time(heard()) == pytest.approx(CERTAIN_SECONDS, abs=0.05)
