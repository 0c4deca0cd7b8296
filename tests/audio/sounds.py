"""Sound to test with: something like speech, at any rate, in any container."""

import io
import struct
from collections.abc import AsyncGenerator
from fractions import Fraction
from functools import cache

import av
import numpy as np
from numpy.typing import NDArray

from voice_core.audio.container_decoder import ContainerDecoder
from voice_core.audio.ffmpeg import decode
from voice_core.audio.limits import DecodingDeadline
from voice_core.audio.pcm_layout import RawPcm
from voice_core.audio.ranged_decoder import LargeSound
from voice_core.audio.upload_decoder import Decoding, Limits

Signal = NDArray[np.float64]

LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}

ENCODER = {"strict": "experimental", "aac_coder": "fast"}
"""FFmpeg's own encoder of Vorbis counts as an experiment; that of AAC can be twice as quick."""

MARGIN = 0.15
"""Seconds by which codecs may shift sound: one AAC frame at 8 kHz."""


@cache
def speech(rate: int, seconds: float = 1.2) -> Signal:
    """Forty partials from 150 to 3,300 Hz under syllables: band-limited, so the same sound at every *rate*."""
    draw = np.random.default_rng(7)
    t = np.arange(round(rate * seconds)) / rate
    partials = sum(
        (np.sin(2 * np.pi * f * t + phase) for f, phase in draw.uniform((150, 0), (3300, 6.28), (40, 2))),
        np.zeros_like(t),
    )
    syllables = np.maximum(0.02, np.sin(2 * np.pi * 3.1 * t) * np.sin(2 * np.pi * 1.3 * t + 0.5))
    sound: Signal = partials * syllables
    return np.asarray(sound * 0.6 / np.abs(sound).max(), np.float64)


def pcm16(sound: Signal) -> bytes:
    return np.rint(sound * 32_767).astype("<i2").tobytes()


def channels_of(sound: Signal, channels: int) -> Signal:
    """Shape (n, channels): the same sound, a little louder on the left."""
    return np.stack([sound * (1 - 0.1 * channel) for channel in range(channels)], axis=1)


@cache
def _mirrored(rate: int, seconds: float, size: int) -> NDArray[np.complex128]:
    """The spectrum of `speech` played backwards."""
    return np.conj(np.fft.rfft(speech(rate, seconds), size))


def likeness(pcm: bytes, rate: int = 16_000, seconds: float = 1.2) -> float:
    """Correlation of *pcm* with `speech`, at the shift within MARGIN, in eighths of samples, that suits it best."""
    heard, source = np.frombuffer(pcm, "<i2").astype(float), speech(rate, seconds)
    size = 1 << (len(heard) + len(source)).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, size) * _mirrored(rate, seconds, size))
    shifts = int(MARGIN * rate)
    best = int(np.argmax(np.roll(product, shifts)[: 2 * shifts + 1])) - shifts
    around = np.arange(-64, 64)
    between = [product[best + around] @ np.sinc(around - eighth / 8) for eighth in range(-8, 9)]
    return float(max(between) / max(1e-9, np.sqrt(np.sum(heard**2) * np.sum(source**2))))


def encoded(
    container: str,
    codec: str,
    rate: int,
    channels: int = 1,
    seconds: float = 1.2,
    *,
    options: dict[str, str] | None = None,
    sound: Signal | None = None,
) -> bytes:
    """`speech`, or *sound* of shape (n, channels), in a file that FFmpeg writes; *options* are the muxer's."""
    file = io.BytesIO()
    with av.open(file, "w", format=container, container_options=options) as output:
        layout = LAYOUTS[channels]
        stream = output.add_stream(codec, rate=rate, layout=layout, options=ENCODER)
        assert isinstance(stream, av.AudioStream)
        if codec in ("aac", "libopus", "libmp3lame"):
            stream.bit_rate = 32_000 * max(2, channels)
        if "amr" in codec:
            stream.bit_rate = 12_200
        frames = channels_of(speech(rate, seconds), channels) if sound is None else sound
        for start in range(0, len(frames), 1024):
            interleaved = frames[start : start + 1024].astype(np.float32).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(interleaved, format="flt", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def fmt(layout: RawPcm, extensible: bool = False) -> bytes:
    """The body of a ``fmt`` chunk."""
    tag = {"f": 3, "a": 6, "m": 7}.get(layout.encoding[0], 1)
    bits = 8 * layout.frame_bytes // layout.channels
    start = struct.pack(
        "<HHIIHH", tag, layout.channels, layout.rate, layout.rate * layout.frame_bytes, layout.frame_bytes, bits
    )
    if not extensible:
        return start
    guid = struct.pack("<H", tag) + bytes.fromhex("000000001000800000aa00389b71")
    return b"\xfe\xff" + start[2:] + struct.pack("<HHI", 22, bits, 0) + guid


def samples(sound: Signal, encoding: str) -> bytes:
    """*sound*, shape (n,) or (n, channels), as PCM."""
    if encoding == "u8":
        return (np.rint(sound * 127) + 128).astype(np.uint8).tobytes()
    if encoding in ("alaw", "mulaw"):
        return _g711(sound, encoding)
    order, bits = {"le": "<", "be": ">"}[encoding[3:]], int(encoding[1:3])
    if encoding[0] == "f":
        return bytes(sound.astype(f"{order}f{bits // 8}").tobytes())
    if bits == 24:
        wide = np.rint(sound * (2**31 - 256)).astype(f"{order}i4").reshape(-1).view(np.uint8).reshape(-1, 4)
        return bytes((wide[:, 1:] if order == "<" else wide[:, :3]).tobytes())
    return bytes(np.rint(sound * (2 ** (bits - 1) - 1)).astype(f"{order}i{bits // 8}").tobytes())


def _g711(sound: Signal, encoding: str) -> bytes:
    codec = av.CodecContext.create(f"pcm_{encoding}", "w")
    assert isinstance(codec, av.AudioCodecContext)
    codec.sample_rate, codec.layout, codec.format = 8000, "mono", av.AudioFormat("s16")
    frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm16(sound), "<i2").reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = 8000
    return b"".join(bytes(packet) for packet in (*codec.encode(frame), *codec.encode(None)))


def wav(
    body: bytes,
    layout: RawPcm,
    before: bytes = b"",
    between: bytes = b"",
    after: bytes = b"",
    extensible: bool = False,
    size: int | None = None,
) -> bytes:
    """A WAV around *body*, with chunks *before* and after ``fmt`` and *after* the samples; *size* is what it claims."""
    data = b"data" + struct.pack("<I", len(body) if size is None else size) + body + b"\0" * (len(body) % 2)
    chunks = b"WAVE" + before + chunk(b"fmt ", fmt(layout, extensible)) + between + data + after
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


async def pieces(data: bytes, size: int) -> AsyncGenerator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def decoded(
    data: bytes,
    size: int = 4096,
    raw: RawPcm | None = None,
    limits: Limits | None = None,
    containers: ContainerDecoder | None = None,
) -> bytes:
    """The sound of *data*, an upload that arrives in chunks of *size* bytes."""
    return b"".join([pcm async for pcm in Decoding(raw, limits or Limits(), containers).pcm(pieces(data, size))])


async def decoded_as_clip(data: bytes, limits: Limits | None = None) -> bytes:
    """The sound of *data*, a file that is read in pieces."""

    async def piece(start: int, count: int) -> bytes:
        assert 0 <= start <= start + count <= len(data)
        return data[start : start + count]

    return b"".join([pcm async for pcm in LargeSound(len(data), piece, limits or Limits()).pcm()])


def level_db(pcm: bytes) -> float:
    """The level of *pcm*, root mean square, decibels of full scale."""
    return float(10 * np.log10(np.mean((np.frombuffer(pcm, "<i2") / 32_768) ** 2) + 1e-12))


def read(data: bytes, limits: Limits | None = None, seconds: float = 10) -> bytes:
    """The sound of a complete file, decoded at once."""
    return b"".join(decode(data, limits or Limits(), DecodingDeadline(seconds)))
