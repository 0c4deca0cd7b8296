"""Recordings with any number of titles or chapters, in every container that has a place for them."""

import struct
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from tests.audio.mp4_files import box, handler, table, within
from tests.audio.sounds import chunk, encoded

_POLYNOMIAL = 0x04C1_1DB7
"""Polynomial of the checksum of an Ogg page (RFC 3533, 6)."""


def comments(count: int) -> bytes:
    """Vorbis comments (Vorbis I, 5): who made them, how many there are, and each with its length."""
    return struct.pack("<I1sI", 1, b"v", count) + b"".join(struct.pack("<I", 8) + b"%06x=1" % i for i in range(count))


def flac(count: int, kind: int = 4) -> bytes:
    """A FLAC with a block of comments, or of another *kind*, behind the one that says what the sound is."""
    file, body = encoded("flac", "flac", 16_000), comments(count)
    return file[:42] + bytes((kind,)) + len(body).to_bytes(3) + body + file[42:]


def ogg(count: int, codec: str = "libopus") -> bytes:
    """An Ogg whose comments take as many pages as they need."""
    pages = list(_pages(encoded("ogg", codec, 48_000, 2)))
    (first, *_), (packets, *_) = pages[0], pages[1]
    head, size = {"libopus": (b"OpusTags", 0), "vorbis": (b"\x03vorbis", 1), "flac": (packets[0][:4], 0)}[codec]
    body = comments(count) + b"\1" * size
    if codec == "flac":
        head = head[:1] + len(body).to_bytes(3)
    packets = [first[0], head + body, *packets[1:], *(packet for page, *_ in pages[2:] for packet in page)]
    granules = [0] * (len(packets) - sum(len(page) for page, *_ in pages[2:]))
    granules += [granule for page, granule in pages[2:] for _ in page]
    return b"".join(_paged(packets, granules))


def matroska(element: bytes, child: Callable[[int], bytes], count: int) -> bytes:
    """A WebM with an *element* of so many children before its tracks."""
    file = encoded("webm", "libopus", 48_000, options={"live": "1"})
    at = file.index(b"\x16\x54\xae\x6b")
    return file[:at] + ebml(element, *(child(number) for number in range(count))) + file[at:]


def ebml(element: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return element + struct.pack(">Q", 1 << 56 | len(body)) + body


def simple_tag(number: int) -> bytes:
    return ebml(b"\x67\xc8", ebml(b"\x45\xa3", b"%06x" % number), ebml(b"\x44\x87", b"1"))


def tag(number: int) -> bytes:
    return ebml(b"\x73\x73", ebml(b"\x63\xc0"), simple_tag(number))


def chapter(number: int) -> bytes:
    times = ebml(b"\x91", struct.pack(">I", number)), ebml(b"\x92", struct.pack(">I", number + 1))
    return ebml(b"\x45\xb9", ebml(b"\xb6", ebml(b"\x73\xc4", struct.pack(">I", number + 1)), *times))


def mp4_titles(count: int) -> bytes:
    """Titles as iTunes writes its own."""
    titles = (
        box(
            b"----",
            table(b"mean", 0),
            box(b"name", bytes(4), b"%06x" % i),
            box(b"data", struct.pack(">II", 1, 0), b"1"),
        )
        for i in range(count)
    )
    meta = box(b"meta", bytes(4), handler(b"mdir"), box(b"ilst", *titles))
    return within(encoded("ipod", "aac", 24_000), b"moov", box(b"udta", meta))


def mp4_keys(count: int) -> bytes:
    """Titles as QuickTime has them."""
    keys = box(b"keys", struct.pack(">II", 0, count), *(box(b"mdta", b"%06x" % i) for i in range(count)))
    values = (box(struct.pack(">I", i + 1), box(b"data", struct.pack(">II", 1, 0), b"1")) for i in range(count))
    return within(encoded("ipod", "aac", 24_000), b"moov", box(b"meta", handler(b"mdta"), keys, box(b"ilst", *values)))


def caf(count: int) -> bytes:
    file = encoded("caf", "pcm_s16le", 16_000)
    body = struct.pack(">I", count) + b"".join(b"%06x\0001\0" % number for number in range(count))
    return file[:52] + b"info" + struct.pack(">q", len(body)) + body + file[52:]


def w64(count: int) -> bytes:
    """A Wave64 with a summary list, before its samples."""
    file = encoded("w64", "pcm_s16le", 16_000)
    body = struct.pack("<I", count) + b"".join(b"%04x" % i + struct.pack("<I", 2) + b"a\0" for i in range(count))
    at = file.index(b"data\xf3\xac\xd3\x11")
    guid = bytes.fromhex("bc945f925a52d21186dc00c04f8edb8a")
    return file[:at] + guid + struct.pack("<Q", 24 + len(body)) + body + bytes(-len(body) % 8) + file[at:]


def wav(count: int) -> bytes:
    titles = b"".join(chunk(b"%04x" % number, b"a\0") for number in range(count))
    file = encoded("wav", "adpcm_ms", 16_000)
    return file[:12] + chunk(b"LIST", b"INFO" + titles) + file[12:]


def mp4_loose_titles(count: int) -> bytes:
    """The same titles in a place where no program writes them, but FFmpeg reads them."""
    parts = ((b"mean", bytes(5)), (b"name", bytes(4) + b"%06x"), (b"data", struct.pack(">II", 1, 0) + b"1"))
    titles = (
        box(b"----", *(box(kind, body.replace(b"%06x", b"%06x" % i)) for kind, body in parts)) for i in range(count)
    )
    return within(encoded("ipod", "aac", 24_000), b"moov", b"".join(titles))


def ape(count: int) -> bytes:
    """ADTS with an APEv2 tag at its end (https://wiki.hydrogenaud.io/index.php?title=APEv2_specification)."""
    items = b"".join(struct.pack("<II", 1, 0) + b"%06x\0" % number + b"1" for number in range(count))
    ends = [
        b"APETAGEX" + struct.pack("<IIII", 2000, len(items) + 32, count, flags) + bytes(8)
        for flags in (0xA000_0000, 0x8000_0000)
    ]
    return encoded("adts", "aac", 24_000) + ends[0] + items + ends[1]


TITLED: Mapping[str, tuple[str, Callable[[int], bytes]]] = {
    "flac": ("flac", flac),
    "flac seek table": ("flac", partial(flac, kind=3)),
    "webm tags": ("webm", partial(matroska, b"\x12\x54\xc3\x67", tag)),
    "webm tag": ("webm", partial(matroska, b"\x12\x54\xc3\x67", lambda i: ebml(b"\x73\x73", simple_tag(i)))),
    "webm chapters": ("webm", partial(matroska, b"\x10\x43\xa7\x70", chapter)),
    "mp4": ("m4a", mp4_titles),
    "mp4 keys": ("m4a", mp4_keys),
    "mp4 loose": ("m4a", mp4_loose_titles),
    "adts": ("aac", ape),
    "caf": ("caf", caf),
    "w64": ("w64", w64),
    "wav": ("wav", wav),
}
"""Containers, each with a function that makes a file with a number of titles."""


def _pages(file: bytes) -> Sequence[tuple[list[bytes], int]]:
    """The packets that end in each page, and its granule position; none of them goes on in the next."""
    pages, at = [], 0
    while at < len(file):
        lacing = file[at + 27 : at + 27 + file[at + 26]]
        body = at + 27 + len(lacing)
        packets = [b""]
        for size in lacing:
            packets[-1] += file[body : body + size]
            body += size
            packets += [b""] * (size < 255)
        pages.append((packets[:-1], int.from_bytes(file[at + 6 : at + 14], "little")))
        at = body
    return pages


def _paged(packets: Sequence[bytes], granules: Sequence[int]) -> Sequence[bytes]:
    """Pages of an Ogg file, of which each has one packet or part of one."""
    pages: list[bytes] = []
    for packet, granule in zip(packets, granules, strict=True):
        lacing = bytes([255] * (len(packet) // 255) + [len(packet) % 255])
        for first in range(0, len(lacing), 255):
            segments, body = lacing[first : first + 255], packet[255 * first : 255 * (first + 255)]
            last = first + 255 >= len(lacing)
            flags = 2 * (not pages) | (first > 0)
            head = struct.pack("<4sBBqII", b"OggS", 0, flags, granule if last else -1, 1, len(pages))
            rest = bytes((len(segments),)) + segments + body
            pages.append(head + _checksum(head + bytes(4) + rest).to_bytes(4, "little") + rest)
    return pages


def _checksum(page: bytes) -> int:
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (_POLYNOMIAL if crc >> 31 else 0)) & 0xFFFF_FFFF
    return crc
