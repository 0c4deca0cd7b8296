"""The reply's audio, sent to the client."""

import asyncio
from fractions import Fraction

import av
import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.stream import Stream

from voice_core.domain.audio import SAMPLE_BYTES, SPEECH_RATE, seconds

FRAME_SECONDS = 0.02
FRAME_BYTES = round(FRAME_SECONDS * SPEECH_RATE) * SAMPLE_BYTES
RTP_RATE = 48_000
"""Hertz of the RTP timestamps, whatever the encoded rate (RFC 7587)."""
FRAME_TICKS = round(FRAME_SECONDS * RTP_RATE)
BITS_PER_SECOND = 32_000

TRAILING_FRAMES = 10
"""Frames of silence after every reply. They make a client play what its jitter buffer holds, so that no rest of this
reply runs into the next one."""

LATE_SECONDS = 0.2
"""Longest pause of the process after which the sender catches up; after a longer one its clock restarts."""


class AudioSender(MediaStreamTrack):
    """Sends mono 16-bit PCM at 24 kHz as Opus packets of 20 ms, paced by the clock.

    Between replies nothing is sent. Only silence can be playing when a reply begins, so its first frame is sent at once
    and does not wait for the clock's next tick. Opus encodes 24 kHz directly; nothing is resampled.
    """

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.heard_seconds = 0.0
        """How much of the latest reply has been sent."""
        self._pcm = bytearray()
        self._in_reply = False
        """Whether a reply has begun and is not complete yet."""
        self._awake = False
        """Whether silence is sent while there is no PCM."""
        self._silent_frames = 0
        self._speaking = False
        self._changed = asyncio.Event()
        self._finished = asyncio.Event()
        self._sent_at: float | None = None
        self._due = 0.0
        self._ticks = 0
        self._encoder = _encoder()

    def wake(self) -> None:
        self._awake = True
        self._changed.set()

    def play(self, pcm: bytes) -> None:
        if not self._in_reply:
            self._in_reply, self.heard_seconds = True, 0.0
            self._finished.clear()
        self._pcm += pcm
        self.wake()

    async def played(self) -> None:
        """The reply is complete: return when all of it has been played."""
        if self._in_reply:
            self._pcm += bytes(-len(self._pcm) % FRAME_BYTES)
            self._in_reply = False
        if self._pcm:
            await self._finished.wait()
        else:
            self._rest()

    def hush(self) -> None:
        """Play nothing more of the reply."""
        self._in_reply = False
        self._pcm.clear()
        self._rest()
        self._finished.set()

    async def recv(self) -> "av.Packet[Stream]":
        """The next 20 ms, when it is time for them."""
        if self.readyState != "live":
            raise MediaStreamError
        while not (self._ready() or self._awake or self._silent_frames):
            await self._wait_for_change()
        await self._wait_until_due()
        self._tick(asyncio.get_running_loop().time())
        return self._packet(self._take())

    def _ready(self) -> bool:
        return len(self._pcm) >= FRAME_BYTES

    def _rest(self) -> None:
        """Send `TRAILING_FRAMES` of silence, then nothing."""
        if self._awake or self._speaking:
            self._silent_frames = TRAILING_FRAMES
        self._awake = False
        self._changed.set()

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _wait_until_due(self) -> None:
        """Wait until the next frame is due."""
        loop = asyncio.get_running_loop()
        while (wait := self._due - loop.time()) > 0:
            if self._speaking:
                await asyncio.sleep(wait)
                return
            if self._ready():
                self._due = loop.time()
                return
            try:
                async with asyncio.timeout(wait):
                    await self._wait_for_change()
            except TimeoutError:
                return

    def _tick(self, now: float) -> None:
        """Count the frame that is sent *now*."""
        if self._sent_at is None or now - self._due > LATE_SECONDS:
            paused = 0.0 if self._sent_at is None else now - self._sent_at
            self._ticks += max(FRAME_TICKS, round(paused * RTP_RATE))
            self._due = now
        else:
            self._ticks += FRAME_TICKS
        self._sent_at = now
        self._due += FRAME_SECONDS

    def _take(self) -> bytes:
        self._speaking = self._ready()
        if not self._speaking:
            self._silent_frames = max(0, self._silent_frames - 1)
            return bytes(FRAME_BYTES)
        frame = bytes(self._pcm[:FRAME_BYTES])
        del self._pcm[:FRAME_BYTES]
        self.heard_seconds += seconds(FRAME_BYTES, SPEECH_RATE)
        if not self._pcm and not self._in_reply:
            self._rest()
            self._finished.set()
        return frame

    def _packet(self, pcm: bytes) -> "av.Packet[Stream]":
        frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2").reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = SPEECH_RATE
        frame.pts = self._ticks * SPEECH_RATE // RTP_RATE
        packet: av.Packet[Stream] = av.Packet(b"".join(map(bytes, self._encoder.encode(frame))))
        packet.pts, packet.time_base = self._ticks, Fraction(1, RTP_RATE)
        return packet


def _encoder() -> av.AudioCodecContext:
    encoder = av.AudioCodecContext.create("libopus", "w")
    encoder.sample_rate = SPEECH_RATE
    encoder.layout = "mono"
    encoder.format = av.AudioFormat("s16")
    encoder.bit_rate = BITS_PER_SECOND
    encoder.options = {"application": "voip", "frame_duration": "20"}
    return encoder
