"""Streams of AAC frames, ADTS and LATM (ISO 13818-7, 6.2; ISO 14496-3, 1.7), and AMR files (RFC 4867, 5)."""

from functools import cache

from tests.audio.sounds import encoded
from tests.hygiene.recordings import words
from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.mpeg_audio import id3
from tests.hygiene.structure.sound_packets import sound_packets

AMR_SIZES = (12, 13, 15, 17, 19, 20, 26, 31, 5, 6, 5, 5, 0, 0, 0, 0)
AMR_WIDE_SIZES = (17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 0, 0, 0, 0, 0, 0)
AMR_HEADS = (b"#!AMR\n", b"#!AMR-WB\n", b"#!AMR_MC1.0\n\0\0\0\1", b"#!AMR-WB_MC1.0\n\0\0\0\2")


def adts(draw: Draw) -> bytes:
    """ADTS frames of which each has its own length, rate, channels and checksum."""
    packets = sound_packets("aac").packets
    frames = [_adts_frame(draw, packet) for packet in packets[: draw.usually(40, 1, 3, 4)]]
    stream = b"".join(frames) * draw.choice((1, 1, 2))
    if draw.likely(0.2):
        stream = stream[draw.randrange(len(stream)) :]
    return draw.choice((b"", b"", b"", id3(draw), draw.junk(3_000))) + stream + draw.choice((b"", b"", id3(draw)))


def _adts_frame(draw: Draw, packet: bytes) -> bytes:
    protected = draw.likely(0.1)
    head = 9 if protected else 7
    if draw.likely(0.06 * draw.wrongness):
        packet = draw.choice((packet[: draw.randrange(len(packet))], packet + draw.junk(200), draw.junk(300)))
    length = draw.claim((head + len(packet)) & 0x1FFF, 13, 0.02)
    header = 0xFFF << 44 | draw.claim(0, 1, 0.02) << 43 | (not protected) << 40
    header |= draw.claim(1, 2, 0.02) << 38 | draw.claim(6, 4, 0.03) << 34 | draw.claim(1, 3, 0.05) << 30
    header |= length << 13 | 0x7FF << 2 | draw.claim(0, 2, 0.04)
    return header.to_bytes(7) + (draw.randbytes(2) if protected else b"") + packet


def latm(draw: Draw) -> bytes:
    """LOAS frames around LATM, of any length, some of them with other configurations."""
    frames = list(_loas_frames())[: draw.choice((1, 3, 4, 40))]
    made = b""
    for frame in frames * draw.choice((1, 1, 2)):
        body = frame
        if draw.likely(0.15 * draw.wrongness):
            at = draw.randrange(min(len(body), 12))
            body = body[:at] + draw.randbytes(1) + body[at + 1 :] + draw.junk(40)
        length = draw.claim(len(body) & 0x1FFF, 13, 0.03)
        made += bytes((0x56, 0xE0 | length >> 8, length & 0xFF)) + body
    return made[draw.randrange(len(made)) if draw.likely(0.1) else 0 :]


@cache
def _loas_frames() -> tuple[bytes, ...]:
    file, frames, at = encoded("latm", "aac", 24_000, sound=words(24_000)), [], 0
    while at + 3 <= len(file):
        length = (file[at + 1] & 0x1F) << 8 | file[at + 2]
        frames.append(file[at + 3 : at + 3 + length])
        at += 3 + length
    return tuple(frames)


def amr(draw: Draw) -> bytes:
    """AMR frames of every mode, silence and reserved ones included."""
    head = draw.choice((AMR_HEADS[0],) * 4 + AMR_HEADS)
    sizes = AMR_WIDE_SIZES if b"WB" in head else AMR_SIZES
    real = sound_packets("libopencore_amrnb").packets
    made = head
    for place in range(draw.choice((0, 1, 10, draw.count(2_000)))):
        if draw.likely(0.7):
            made += real[place % len(real)]
        else:
            mode = draw.randrange(16)
            made += bytes((mode << 3 | draw.choice((4, 4, 0, 0x84)),)) + draw.randbytes(
                draw.claim(sizes[mode], 8, 0.02)
            )
    return made
