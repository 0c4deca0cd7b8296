"""CAF files as iPhones write them, which FFmpeg cannot (Apple, Core Audio Format Specification 1.0)."""

import io
import struct
from collections.abc import Sequence

import av

from tests.audio.sounds import encoded

PRIMING_FRAMES = 1024
"""Samples that FFmpeg's AAC encoder puts before the sound."""

AAC_FRAMES, OPUS_FRAMES, LPCM_LITTLE_ENDIAN = 1024, 960, 2
OPUS_PRIMING_FRAMES = 312
"""Samples that libopus puts before the sound."""


def packets(codec: str, rate: int) -> Sequence[bytes]:
    """The codec's configuration, and the packets of mono `speech`."""
    with av.open(io.BytesIO(encoded("mp4" if "opus" in codec else "ipod", codec, rate)), "r") as file:
        stream = file.streams.audio[0]
        found = [bytes(packet) for packet in file.demux(stream) if packet.size]
        return [bytes(stream.codec_context.extradata or b""), *found]


def caf_of(
    codec: bytes,
    rate: int,
    parts: Sequence[bytes],
    *,
    index_first: bool = False,
    finished: bool = True,
    sound_frames: int = 0,
) -> bytes:
    """A CAF of AAC or Opus `packets`, or of mono 16-bit samples; when not *finished*, without the size of its sound."""
    if codec == b"aac ":
        configuration, *sound = parts
        head = _description(codec, rate, 0, 0, AAC_FRAMES, 0) + _chunk(b"kuki", _elementary_stream(configuration))
        index = _chunk(b"pakt", _table(sound, sound_frames))
    elif codec == b"opus":
        sound = list(parts[1:])
        head = _description(codec, rate, 0, 0, OPUS_FRAMES, 0)
        index = _chunk(b"pakt", _table(sound, sound_frames, OPUS_FRAMES, OPUS_PRIMING_FRAMES))
    else:
        sound, index = list(parts), b""
        head = _description(codec, rate, LPCM_LITTLE_ENDIAN, 2, 1, 16)
    data = _chunk(b"data", b"\0\0\0\0" + b"".join(sound), None if finished else -1)
    body = index + data if index_first else data + index
    return b"caff\0\1\0\0" + head + _chunk(b"free", bytes(4000)) + body


def _chunk(kind: bytes, body: bytes, size: int | None = None) -> bytes:
    return kind + struct.pack(">q", len(body) if size is None else size) + body


def _description(codec: bytes, rate: int, flags: int, packet_bytes: int, packet_frames: int, bits: int) -> bytes:
    return _chunk(b"desc", struct.pack(">d4s5I", rate, codec, flags, packet_bytes, packet_frames, 1, bits))


def _table(
    sound: Sequence[bytes], frames: int, packet_frames: int = AAC_FRAMES, priming: int = PRIMING_FRAMES
) -> bytes:
    """The packet table: how many frames are sound, how many come before and after, and each packet's size."""
    after = len(sound) * packet_frames - priming - frames
    sizes = b"".join(bytes((len(packet) >> 7 | 0x80, len(packet) & 0x7F)) for packet in sound)
    return struct.pack(">qqii", len(sound), frames, priming, after) + sizes


def _elementary_stream(configuration: bytes) -> bytes:
    """An ES descriptor around *configuration* (ISO 14496-1, 7.2.6.5)."""
    specific = _descriptor(5, configuration)
    decoder = _descriptor(4, b"\x40\x15" + bytes(11) + specific)
    return _descriptor(3, bytes(3) + decoder + _descriptor(6, b"\2"))


def _descriptor(tag: int, body: bytes) -> bytes:
    return bytes((tag, 0x80, 0x80, 0x80, len(body))) + body
