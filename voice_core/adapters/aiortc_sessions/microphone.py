"""What the client's microphone hears."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

import av
import numpy as np
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtp import RtpPacket

from voice_core.adapters.aiortc_sessions.arrivals import Arrivals
from voice_core.audio.pcm import Resampler, Samples, scaled

OPUS_RATE = 48_000
"""Hertz: libopus decodes to this whatever was encoded (RFC 7587)."""

PRIMING_PACKETS = 3
"""60 ms, from which a decoder that was asleep finds its way into the stream."""

QUIET = 0.006
"""Root mean square of a packet that holds no speech: -45 decibels below full scale."""

LOST = np.zeros(OPUS_RATE // 50, np.float32)
"""The silence that stands for a lost packet: 20 ms."""


class Microphone:
    """Turns Opus packets into utterances, each mono 16-bit PCM at 16 kHz.

    It takes the place of a receiver's jitter buffer, which would keep the last 80 ms of every utterance back; while
    nobody listens, packets are not even decoded.
    """

    def __init__(self) -> None:
        self._arrivals = Arrivals()
        self._recent: deque[bytes] = deque(maxlen=PRIMING_PACKETS)
        self._listening: _Listening | None = None

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """As aiortc's JitterBuffer: never a picture to ask for again, never a frame for aiortc to decode."""
        payload: bytes = packet._data  # type: ignore[attr-defined]
        for arrived in self._arrivals.add(packet.sequence_number, payload):
            self._hear(arrived)
        return False, None

    def listen(self) -> AsyncGenerator[bytes]:
        """What is heard from now on, until `stop`."""
        self.stop()
        self._listening = _Listening(self._recent)
        return self._listening.pcm()

    def stop(self, trailing_seconds: float = 0.0) -> None:
        """End the utterance: now, or when it is quiet, *trailing_seconds* from now at the latest."""
        if self._listening is not None:
            self._listening.stop(trailing_seconds)

    def _hear(self, payload: bytes | None) -> None:
        if self._listening is not None and not self._listening.ended:
            self._listening.hear(payload)
        if payload is not None:
            self._recent.append(payload)


class _Listening:
    """One utterance, from its button down to its button up."""

    def __init__(self, recent: deque[bytes]) -> None:
        self.ended = False
        self._decoder = av.AudioCodecContext.create("libopus", "r")
        self._decoder.layout = "mono"
        self._decoder.sample_rate = OPUS_RATE
        self._resampler = Resampler(OPUS_RATE)
        self._heard: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._trailing: asyncio.TimerHandle | None = None
        for payload in recent:
            self._decoded(payload)

    def hear(self, payload: bytes | None) -> None:
        samples = LOST if payload is None else self._decoded(payload)
        self._heard.put_nowait(self._resampler.feed(samples))
        if self._trailing is not None and _quiet(samples):
            self._end()

    def stop(self, trailing_seconds: float) -> None:
        if not self.ended and self._trailing is None:
            if trailing_seconds <= 0:
                self._end()
            else:
                self._trailing = asyncio.get_running_loop().call_later(trailing_seconds, self._end)

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
        if self._trailing is not None:
            self._trailing.cancel()

    def _decoded(self, payload: bytes) -> Samples:
        """Nothing, of a packet that is no Opus."""
        try:
            frames = self._decoder.decode(av.Packet(payload)) if payload else []
        except av.FFmpegError:
            frames = []
        return np.concatenate([scaled(frame.to_ndarray()[0]) for frame in frames] or [LOST[:0]])


def _quiet(samples: Samples) -> bool:
    return not samples.size or float(np.sqrt(np.mean(samples**2))) < QUIET
