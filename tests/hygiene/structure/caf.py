"""CAF files (Apple, Core Audio Format Specification 1.0)."""

import struct
from collections.abc import Sequence

from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.mp4_sound import elementary_stream
from tests.hygiene.structure.sound_packets import SoundPackets, sound_packets

NAMES = {"aac": b"aac ", "alac": b"alac", "libopus": b"opus", "pcm_s16le": b"lpcm", "libmp3lame": b".mp3"}
OTHER_NAMES = (b"ima4", b"ulaw", b"alaw", b"flac", b"MAC3", b"ilbc", b"samr")


def caf(draw: Draw) -> bytes:
    """A file with a packet table that agrees with its packets, or almost."""
    sound = sound_packets(draw.choice((*NAMES,)))
    name = draw.usually(NAMES[sound.codec], *OTHER_NAMES)
    packets = sound.packets[: draw.usually(60, 0, 1, 5)]
    head = _description(draw, name, sound)
    data = struct.pack(">I", draw.number(32)) + b"".join(packets)
    parts = [_chunk(draw, b"kuki", _cookie(draw, sound)), _chunk(draw, b"pakt", _table(draw, sound, packets))]
    parts += draw.some(
        [_titles(draw), _layout(draw), _chunk(draw, b"free", bytes(draw.count(5_000))), _marks(draw)], 0.25
    )
    unfinished = draw.likely(0.1)
    parts.append(b"data" + struct.pack(">q", -1 if unfinished else draw.claim(len(data), 63, 0.05)) + data)
    if draw.likely(0.3):
        draw.shuffle(parts)
    return b"caff" + struct.pack(">HH", draw.claim(1, 16, 0.02), 0) + head + b"".join(parts)


def _chunk(draw: Draw, kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">q", draw.claim(len(body), 63, 0.02)) + body


def _description(draw: Draw, name: bytes, sound: SoundPackets) -> bytes:
    plain = sound.codec.startswith("pcm")
    rate = draw.usually(float(sound.rate), 0.0, -1.0, float("nan"), 1e300)
    frame_bytes, frames, bits = (2, 1, 16) if plain else (0, sound.samples, 0)
    numbers = (draw.claim(frame_bytes), draw.claim(frames, chance=0.05), draw.claim(sound.channels), draw.claim(bits))
    return _chunk(
        draw, b"desc", struct.pack(">d4s5I", rate, name, draw.usually(2 if plain else 0, 0, draw.number(32)), *numbers)
    )


def _cookie(draw: Draw, sound: SoundPackets) -> bytes:
    if sound.codec == "aac":
        return elementary_stream(draw, 0x40, sound.private)[12:]
    return draw.usually(sound.private, sound.private[-24:], draw.junk(500))


def _table(draw: Draw, sound: SoundPackets, packets: Sequence[bytes]) -> bytes:
    made = list(packets)
    count = draw.usually(len(made), 10**6, 2**31, 2**40, 2**63 - 1)
    sizes = b"".join(_varied_length(len(packet)) for packet in made)
    if draw.likely(0.1 * draw.wrongness):
        sizes = b"\x80" * draw.count(5_000)
    frames = draw.claim(len(made) * sound.samples, 63, 0.05)
    return struct.pack(">qqii", draw.claim(count, 63, 0.02), frames, draw.choice((0, 1_024, -1)), 0) + sizes


def _varied_length(size: int) -> bytes:
    return (
        bytes((size >> 14 | 0x80, size >> 7 & 0x7F | 0x80, size & 0x7F))
        if size >> 14
        else bytes((size >> 7 | 0x80, size & 0x7F))
    )


def _titles(draw: Draw) -> bytes:
    count = draw.count(1_500)
    return _chunk(
        draw, b"info", struct.pack(">I", draw.claim(count)) + b"".join(b"%06x\0001\0" % each for each in range(count))
    )


def _layout(draw: Draw) -> bytes:
    count = draw.count(300)
    return _chunk(
        draw,
        b"chan",
        struct.pack(">III", draw.usually(0x64_0001, 0, draw.number(32)), 0, draw.claim(count)) + bytes(20 * count),
    )


def _marks(draw: Draw) -> bytes:
    count = draw.count(300)
    return _chunk(
        draw, draw.choice((b"mark", b"regn", b"strg")), struct.pack(">II", 0, draw.claim(count)) + bytes(28 * count)
    )
