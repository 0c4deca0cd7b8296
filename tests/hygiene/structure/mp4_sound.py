"""Descriptions of sound in MP4 and MOV files (ISO 14496-12, 12.2.3; QuickTime File Format)."""

import struct

from tests.audio.mp4_files import box
from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.sound_packets import SoundPackets

PCM = (b"sowt", b"twos", b"lpcm", b"raw ", b"in24", b"in32", b"fl32", b"fl64", b"ulaw", b"alaw", b"ipcm")


def sample_entry(draw: Draw, sound: SoundPackets) -> bytes:
    """The description of *sound*, in any of its three versions."""
    name, config = _name_and_config(draw, sound)
    version = draw.choice((0, 0, 0, 1, 2)) if name in PCM or draw.likely(0.2) else 0
    rate, channels = draw.claim(sound.rate, 32, 0.04), draw.claim(sound.channels, 16, 0.05)
    fixed = struct.pack(">HHI", version, 0, 0)
    if version == 2:
        numbers = struct.pack(">IdI5I", 72, float(rate), channels, 0x7F00_0000, 16, 12, draw.claim(2), draw.claim(1))
        parts = struct.pack(">HHhHI", 3, 16, -2, 0, 0x10000) + numbers
    else:
        parts = struct.pack(">HHHHI", channels, draw.claim(16, 16, 0.05), 0, 0, rate % 65_536 << 16)
        parts += struct.pack(">4I", *(draw.claim(each, chance=0.2) for each in (1, 2, 2, 2))) if version else b""
    wave = box(b"wave", box(b"frma", name), config, bytes(8)) if draw.likely(0.1) else config
    channel_layout = (
        box(b"chan", struct.pack(">4xIII", draw.number(32), 0, draw.count(20))) if draw.likely(0.1) else b""
    )
    return box(name, bytes(6), b"\0\1", fixed, parts, wave, channel_layout)


def _name_and_config(draw: Draw, sound: SoundPackets) -> tuple[bytes, bytes]:
    if draw.likely(0.1 * draw.wrongness):
        return draw.name(), draw.junk()
    match sound.codec:
        case "aac":
            return b"mp4a", elementary_stream(draw, 0x40, sound.private)
        case "libmp3lame":
            return b"mp4a", elementary_stream(draw, 0x6B, b"")
        case "alac":
            return b"alac", box(b"alac", bytes(4), _varied(draw, sound.private[-24:]))
        case "flac":
            return b"fLaC", box(b"dfLa", b"\0\0\0\0\x80\0\0\x22", _varied(draw, sound.private))
        case "libopus":
            mapping = struct.pack(">BBHIHB", 0, draw.claim(1, 8), 312, 48_000, 0, draw.usually(0, 1, 255))
            return b"Opus", box(b"dOps", mapping, draw.usually(b"", b"\1\0\0", draw.junk(260)))
        case "libopencore_amrnb":
            return b"samr", box(b"damr", b"FFMP\0\x81\xff\0", bytes((draw.count(15),)))
        case _:
            return draw.usually(b"sowt", *PCM), b""


def _varied(draw: Draw, config: bytes) -> bytes:
    """*config*, sometimes with another byte or length."""
    if not config or draw.likely(1 - 0.2 * draw.wrongness):
        return config
    at = draw.randrange(len(config))
    return draw.choice((config[:at], config[:at] + draw.randbytes(1) + config[at + 1 :], config + draw.junk(500)))


def elementary_stream(draw: Draw, kind: int, config: bytes) -> bytes:
    """An ES descriptor (ISO 14496-1, 7.2.6.5)."""
    specific = _descriptor(draw, 5, _varied(draw, config)) if config else b""
    decoder = _descriptor(draw, 4, bytes((kind, 0x15)) + bytes(11) + specific)
    return box(b"esds", bytes(4), _descriptor(draw, 3, bytes(3) + decoder + _descriptor(draw, 6, b"\2")))


def _descriptor(draw: Draw, tag: int, body: bytes) -> bytes:
    size = draw.claim(len(body), 28, 0.02)
    return bytes((tag, *(0x80 | size >> 7 * shift & 0x7F for shift in (3, 2, 1)), size & 0x7F)) + body
