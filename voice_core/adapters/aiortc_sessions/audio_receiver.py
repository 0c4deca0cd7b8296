"""What the client's microphone hears."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable

import av
import numpy as np
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtp import RtpPacket

from voice_core.adapters.aiortc_sessions.reorder_buffer import ReorderBuffer
from voice_core.audio.pcm import Resampler, Samples, scaled

OPUS_RATE = 48_000
"""Hertz: libopus decodes to this whatever was encoded (RFC 7587)."""

PRIMING_PACKETS = 3
"""60 ms, from which a decoder that was asleep finds its way into the stream."""

QUIET = 0.006
"""Root mean square of a packet that holds no speech: -45 decibels below full scale."""

FRAME_SECONDS = 0.02
FRAME = np.zeros(round(FRAME_SECONDS * OPUS_RATE), np.float32)
"""Silence as long as a packet."""

MISSING_SECONDS = 0.5
"""Without a packet, after which it is silent; a client that leaves silence out sends one in 0.4 s (RFC 6716, 2.1.9)."""

LOOK_SECONDS = 0.1
"""How often silence is then made."""

CERTAIN_SECONDS = 1.0
"""Of silence that is made for anybody; more only while there are other signs of life, lest it be an outage."""

LONGEST_GAP_SECONDS = 6.0
"""Of silence at once: longer than between two such signs. What is longer is a clock that began anew."""

_WRAP = 1 << 32
"""Of timestamps."""


class AudioReceiver:
    """Turns Opus packets into utterances, each mono 16-bit PCM at 16 kHz.

    It takes the place of a receiver's jitter buffer, which would keep the last 80 ms of every utterance back; while
    nobody listens, packets are not even decoded.
    """

    def __init__(self, alive: Callable[[], float]) -> None:
        """*alive* says when there was the latest sign of life, on the event loop's clock."""
        self._alive = alive
        self._arrivals = ReorderBuffer()
        self._recent: deque[bytes] = deque(maxlen=PRIMING_PACKETS)
        self._listening: _Listening | None = None

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """As aiortc's JitterBuffer: never a picture to ask for again, never a frame for aiortc to decode."""
        for arrived in self._arrivals.add(packet):
            self._hear(arrived)
        return False, None

    def listen(self) -> AsyncGenerator[bytes]:
        """What is heard from now on, until `stop`."""
        self.stop()
        self._listening = _Listening(self._recent, self._alive)
        return self._listening.pcm()

    def stop(self, trailing_seconds: float = 0.0) -> None:
        """End the utterance: now, or when it is quiet, *trailing_seconds* from now at the latest."""
        if self._listening is not None:
            self._listening.stop(trailing_seconds)

    def _hear(self, packet: RtpPacket) -> None:
        payload: bytes = packet._data  # type: ignore[attr-defined]
        if self._listening is not None and not self._listening.ended:
            self._listening.hear(payload, packet.timestamp)
        self._recent.append(payload)


class _Listening:
    """One utterance, from its button down to its button up.

    What is missing of it is silence: by the packets' timestamps where others come, by the clock where none do.
    """

    def __init__(self, recent: deque[bytes], alive: Callable[[], float]) -> None:
        self.ended = False
        self._alive = alive
        self._decoder = av.AudioCodecContext.create("libopus", "r")
        self._decoder.layout = "mono"
        self._decoder.sample_rate = OPUS_RATE
        self._resampler = Resampler(OPUS_RATE)
        self._heard: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._trailing: asyncio.TimerHandle | None = None
        self._expected: int | None = None
        """The timestamp that follows upon what was heard."""
        self._made = 0
        """Samples of silence since the last packet."""
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.time()
        for payload in recent:
            self._decoded(payload)
        self._look_later()

    def hear(self, payload: bytes, timestamp: int) -> None:
        samples = self._decoded(payload)
        self._feed(np.concatenate([_silence(self._missing(timestamp)), samples]))
        self._expected, self._made = timestamp + samples.size, 0
        self._until = self._loop.time()

    def _missing(self, timestamp: int) -> int:
        """Samples before a packet."""
        if self._expected is None:
            return 0
        missing = (timestamp - self._expected) % _WRAP - self._made
        return missing if 0 < missing <= LONGEST_GAP_SECONDS * OPUS_RATE else 0

    def _look_later(self) -> None:
        self._looking = self._loop.call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        self._look_later()
        certain = self._until - self._made / OPUS_RATE + CERTAIN_SECONDS
        silent = min(self._loop.time(), max(self._alive(), certain)) - self._until
        if silent >= MISSING_SECONDS or (self._made and silent > 0):
            # In pieces as small as packets: larger ones would leave holes in the heap.
            for _ in range(int(min(silent, LONGEST_GAP_SECONDS) / FRAME_SECONDS)):
                self._feed(FRAME)
                self._made += FRAME.size
            self._until += silent - silent % FRAME_SECONDS

    def _feed(self, samples: Samples) -> None:
        if self.ended:
            return
        self._heard.put_nowait(self._resampler.feed(samples))
        if self._trailing is not None and _quiet(samples):
            self._end()

    def stop(self, trailing_seconds: float) -> None:
        if not self.ended and self._trailing is None:
            if trailing_seconds <= 0:
                self._end()
            else:
                self._trailing = self._loop.call_later(trailing_seconds, self._end)

    async def pcm(self) -> AsyncGenerator[bytes]:
        try:
            while (pcm := await self._heard.get()) is not None:
                yield pcm
        finally:
            self._end()

    def _end(self) -> None:
        if not self.ended:
            self.ended = True
            self._heard.put_nowait(self._resampler.finish())
            self._heard.put_nowait(None)
        self._looking.cancel()
        if self._trailing is not None:
            self._trailing.cancel()

    def _decoded(self, payload: bytes) -> Samples:
        """Nothing, of a packet that is no Opus."""
        try:
            frames = self._decoder.decode(av.Packet(payload)) if payload else []
        except av.FFmpegError:
            frames = []
        return np.concatenate([scaled(frame.to_ndarray()[0]) for frame in frames] or [_silence(0)])


def _silence(count: int) -> Samples:
    return np.zeros(count, np.float32)


def _quiet(samples: Samples) -> bool:
    return not samples.size or float(np.sqrt(np.mean(samples**2))) < QUIET
