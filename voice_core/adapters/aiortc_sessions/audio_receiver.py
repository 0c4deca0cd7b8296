"""Audio received from the client's microphone."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable

import av
import numpy as np
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtp import RtpPacket

from voice_core.adapters.aiortc_sessions.reorder_buffer import ReorderBuffer
from voice_core.audio.pcm import Resampler, Samples, scaled
from voice_core.domain.audio import RECOGNITION_RATE, seconds

OPUS_RATE = 48_000
"""Hertz: libopus decodes to this whatever was encoded (RFC 7587)."""

PRIMING_PACKETS = 3
"""60 ms, from which a new decoder synchronises with the stream."""

QUIET = 0.006
"""Root mean square of a packet without speech: 45 decibels below full scale."""

FRAME_SECONDS = 0.02
FRAME = np.zeros(round(FRAME_SECONDS * OPUS_RATE), np.float32)
"""Silence as long as a packet."""

MISSING_SECONDS = 0.5
"""Time without a packet after which silence is inserted. A client that omits silence sends one packet in 0.4 s
(RFC 6716, 2.1.9)."""

FILL_SECONDS = 0.1
"""How often silence is then inserted."""

UNCONFIRMED_SILENCE_SECONDS = 1.0
"""Longest silence inserted without any sign of life from the client; after that it may be an outage."""

LONGEST_GAP_SECONDS = 6.0
"""Longest silence inserted at once: longer than the time between two signs of life. A longer gap means that the
client's clock has restarted."""

SILENCE_AHEAD_SECONDS = 1.0
"""How much longer than the time since its beginning an utterance may become by inserted silence. A client's timestamps
may say anything; what it left out cannot have taken longer than that."""

SOUND_AHEAD_SECONDS = 10.0
"""How much longer it may become by received sound, before packets are dropped: an outage delays that much."""

LONGEST_UNREAD_SECONDS = 120.0
"""Most sound that waits to be read. Then the utterance ends: no one reads it."""

_WRAP = 1 << 32
"""The number of RTP timestamps, which wrap around."""


class AudioReceiver:
    """Turns Opus packets into utterances, each mono 16-bit PCM at 16 kHz.

    It replaces the jitter buffer of an aiortc receiver, which would hold back the last 80 ms of every utterance.
    Between utterances packets are not decoded.
    """

    def __init__(self, alive: Callable[[], float]) -> None:
        """*alive* returns the time of the latest sign of life, on the event loop's clock."""
        self._alive = alive
        self._reorder_buffer = ReorderBuffer()
        self._recent: deque[bytes] = deque(maxlen=PRIMING_PACKETS)
        self._utterance: _UtteranceAudio | None = None

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """As aiortc's JitterBuffer, but never requests a picture again and never has a frame for aiortc to decode."""
        for ordered in self._reorder_buffer.add(packet):
            self._receive(ordered)
        return False, None

    def listen(self) -> AsyncGenerator[bytes]:
        """PCM of the utterance that begins now, until `stop`."""
        self.stop()
        self._utterance = _UtteranceAudio(self._recent, self._alive)
        return self._utterance.pcm()

    def stop(self, trailing_seconds: float = 0.0) -> None:
        """End the utterance: now, or at the first quiet packet, at the latest after *trailing_seconds*."""
        if self._utterance is not None:
            self._utterance.stop(trailing_seconds)

    def _receive(self, packet: RtpPacket) -> None:
        payload: bytes = packet._data  # type: ignore[attr-defined]
        if self._utterance is not None and not self._utterance.ended:
            self._utterance.add(payload, packet.timestamp)
        self._recent.append(payload)


class _UtteranceAudio:
    """One utterance, from button down to button up.

    Missing audio becomes silence: its length follows from the next packet's timestamp, or, while no packet arrives,
    from the clock.
    """

    def __init__(self, recent: deque[bytes], alive: Callable[[], float]) -> None:
        self.ended = False
        self._alive = alive
        self._decoder = av.AudioCodecContext.create("libopus", "r")
        self._decoder.layout = "mono"
        self._decoder.sample_rate = OPUS_RATE
        self._resampler = Resampler(OPUS_RATE)
        self._pcm: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._unread_bytes = 0
        self._trailing_timer: asyncio.TimerHandle | None = None
        self._expected: int | None = None
        """The timestamp that continues the latest packet."""
        self._inserted = 0
        """Samples of silence inserted since the last packet."""
        self._loop = asyncio.get_running_loop()
        self._began = self._filled_until = self._loop.time()
        self._produced = 0
        """Samples of sound and silence since `_began`."""
        for payload in recent:
            self._decode(payload)
        self._schedule_fill()

    def add(self, payload: bytes, timestamp: int) -> None:
        ahead = self._produced - (self._loop.time() - self._began) * OPUS_RATE
        if ahead > SOUND_AHEAD_SECONDS * OPUS_RATE:
            return
        samples = self._decode(payload)
        plausible = int(SILENCE_AHEAD_SECONDS * OPUS_RATE - ahead) - samples.size
        self._feed(np.concatenate([_silence(max(0, min(self._missing(timestamp), plausible))), samples]))
        self._expected, self._inserted = timestamp + samples.size, 0
        self._filled_until = self._loop.time()

    def _missing(self, timestamp: int) -> int:
        """How many samples are missing before the packet with *timestamp*."""
        if self._expected is None:
            return 0
        missing = (timestamp - self._expected) % _WRAP - self._inserted
        return missing if 0 < missing <= LONGEST_GAP_SECONDS * OPUS_RATE else 0

    def _schedule_fill(self) -> None:
        self._fill_timer = self._loop.call_later(FILL_SECONDS, self._fill_silence)

    def _fill_silence(self) -> None:
        self._schedule_fill()
        unconfirmed_until = self._filled_until - self._inserted / OPUS_RATE + UNCONFIRMED_SILENCE_SECONDS
        silent = min(self._loop.time(), max(self._alive(), unconfirmed_until)) - self._filled_until
        if silent >= MISSING_SECONDS or (self._inserted and silent > 0):
            # In pieces as small as packets: larger ones would fragment the heap.
            for _ in range(int(min(silent, LONGEST_GAP_SECONDS) / FRAME_SECONDS)):
                self._feed(FRAME)
                self._inserted += FRAME.size
            self._filled_until += silent - silent % FRAME_SECONDS

    def _feed(self, samples: Samples) -> None:
        if self.ended:
            return
        pcm = self._resampler.feed(samples)
        self._produced += samples.size
        self._unread_bytes += len(pcm)
        self._pcm.put_nowait(pcm)
        if seconds(self._unread_bytes, RECOGNITION_RATE) > LONGEST_UNREAD_SECONDS:
            self._end()
        if self._trailing_timer is not None and _quiet(samples):
            self._end()

    def stop(self, trailing_seconds: float) -> None:
        if not self.ended and self._trailing_timer is None:
            if trailing_seconds <= 0:
                self._end()
            else:
                self._trailing_timer = self._loop.call_later(trailing_seconds, self._end)

    async def pcm(self) -> AsyncGenerator[bytes]:
        try:
            while (pcm := await self._pcm.get()) is not None:
                self._unread_bytes -= len(pcm)
                yield pcm
        finally:
            self._end()

    def _end(self) -> None:
        if not self.ended:
            self.ended = True
            self._pcm.put_nowait(self._resampler.finish())
            self._pcm.put_nowait(None)
        self._fill_timer.cancel()
        if self._trailing_timer is not None:
            self._trailing_timer.cancel()

    def _decode(self, payload: bytes) -> Samples:
        """Samples at `OPUS_RATE`; none if *payload* is not Opus."""
        try:
            frames = self._decoder.decode(av.Packet(payload)) if payload else []
        except av.FFmpegError:
            frames = []
        return np.concatenate([scaled(frame.to_ndarray()[0]) for frame in frames] or [_silence(0)])


def _silence(count: int) -> Samples:
    return np.zeros(count, np.float32)


def _quiet(samples: Samples) -> bool:
    return not samples.size or float(np.sqrt(np.mean(samples**2))) < QUIET
