"""Encoders of the reply's speech, piece by piece: PCM as it is, WAV, MP3 or Opus."""

from collections.abc import Callable, Mapping
from typing import Protocol

import av
import numpy as np

from voice_core.audio import wav
from voice_core.domain.audio import SPEECH_RATE
from voice_core.domain.errors import UnsupportedFormat

MP3_BITS_PER_SECOND = 64_000
OPUS_BITS_PER_SECOND = 40_000
"""Enough for one voice to sound like the synthesized speech."""

OPUS_PAGE_MICROSECONDS = 100_000
"""Length of an Ogg page: shorter pages cost more bytes than they gain time."""


class SpeechEncoder(Protocol):
    """Encodes mono 16-bit PCM at 24 kHz as it comes; the pieces joined are one file."""

    def feed(self, pcm: bytes) -> bytes:
        """The encoded bytes that are ready after more *pcm* (whole samples); may be empty."""

    def finish(self) -> bytes:
        """The end of the file. Afterwards the encoder cannot be used any more."""


class PcmEncoder:
    """The samples as they are."""

    def feed(self, pcm: bytes) -> bytes:
        return pcm

    def finish(self) -> bytes:
        return b""


class WavEncoder:
    """WAV, with a header of unknown length."""

    def __init__(self) -> None:
        self._header = wav.header(SPEECH_RATE)

    def feed(self, pcm: bytes) -> bytes:
        return self._take_header() + pcm

    def finish(self) -> bytes:
        return self._take_header()

    def _take_header(self) -> bytes:
        header, self._header = self._header, b""
        return header


class Mp3Encoder:
    """MP3 by LAME: 24 ms frames, which need no container."""

    def __init__(self) -> None:
        self._codec = av.AudioCodecContext.create("libmp3lame", "w")
        self._codec.sample_rate = SPEECH_RATE
        self._codec.layout = "mono"
        self._codec.format = av.AudioFormat("s16p")
        self._codec.bit_rate = MP3_BITS_PER_SECOND
        # Without a bit reservoir no frame waits for later frames.
        self._codec.options = {"reservoir": "0"}

    def feed(self, pcm: bytes) -> bytes:
        return self._encoded(_frame(pcm, "s16p")) if pcm else b""

    def finish(self) -> bytes:
        return self._encoded(None)

    def _encoded(self, frame: av.AudioFrame | None) -> bytes:
        return b"".join(bytes(packet) for packet in self._codec.encode(frame))


class OpusEncoder:
    """Opus in Ogg."""

    def __init__(self) -> None:
        self._sink = _Sink()
        options = {"page_duration": str(OPUS_PAGE_MICROSECONDS), "flush_packets": "1"}
        self._container = av.open(self._sink, "w", format="ogg", container_options=options)
        self._stream = self._container.add_stream("libopus", rate=SPEECH_RATE, layout="mono")
        self._stream.bit_rate = OPUS_BITS_PER_SECOND

    def feed(self, pcm: bytes) -> bytes:
        if pcm:
            self._container.mux(self._stream.encode(_frame(pcm, "s16")))
        return self._sink.take()

    def finish(self) -> bytes:
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._sink.take()


class _Sink:
    """A file in memory that FFmpeg writes and we read."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken


ENCODERS: Mapping[str, Callable[[], SpeechEncoder]] = {
    "pcm": PcmEncoder,
    "wav": WavEncoder,
    "mp3": Mp3Encoder,
    "opus": OpusEncoder,
}


def encoder(format: str) -> SpeechEncoder:  # noqa: A002 - the word that callers use
    """An encoder to one of ENCODERS.

    Raises:
        UnsupportedFormat: ``audio-format-unsupported``.
    """
    if format not in ENCODERS:
        detail = f"Speech is available as {', '.join(ENCODERS)}. Request one of these."
        raise UnsupportedFormat(detail, code="audio-format-unsupported")
    return ENCODERS[format]()


def _frame(pcm: bytes, sample_format: str) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2").reshape(1, -1), format=sample_format, layout="mono")
    frame.sample_rate = SPEECH_RATE
    return frame
