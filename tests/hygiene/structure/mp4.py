"""MP4 and MOV files (ISO 14496-12; QuickTime File Format)."""

import struct
from collections.abc import Sequence

from tests.audio.mp4_files import box, rows, table
from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.mp4_sound import sample_entry
from tests.hygiene.structure.mp4_titles import metadata
from tests.hygiene.structure.sound_packets import SoundPackets, sound_packets

CODECS = ("aac", "aac", "alac", "flac", "libopus", "libmp3lame", "libopencore_amrnb", "pcm_s16le", "pcm_s16le")
HANDLERS = (b"vide", b"tmcd", b"text", b"sbtl", b"subp", b"clcp", b"meta", b"hint", b"soun")
BRANDS = (b"M4A ", b"mp42", b"isom", b"qt  ", b"3gp5", b"dash")
LARGE_COUNTS = (1_000, 65_536, 999_999, 1_000_001, 2**24, 2**31 - 1, 2**32 - 1)


def mp4(draw: Draw) -> bytes:
    """A file of several tracks whose tables agree with one another, or of fragments."""
    sounds = [_shortened(draw, sound_packets(draw.choice(CODECS))) for _ in range(draw.choice((1, 1, 1, 1, 2, 3)))]
    head = box(b"ftyp", draw.choice(BRANDS), bytes(4), draw.choice(BRANDS))
    if draw.likely(0.25):
        return head + _fragmented(draw, sounds)
    media = b"".join(b"".join(sound.packets) for sound in sounds)
    mdat = _media_box(draw, media)
    first = len(head) + len(mdat) - len(media)
    tracks = []
    for number, sound in enumerate(sounds, 1):
        tracks.append(_track(draw, number, sound, first))
        first += sum(map(len, sound.packets))
    others = [_other_track(draw, number) for number in range(draw.usually(draw.choice((0, 0, 0, 1, 2)), 40))]
    index = box(b"moov", _movie_header(draw), *draw.sample(tracks + others, len(tracks + others)), metadata(draw))
    extra = draw.choice((b"", b"", box(draw.name(), draw.junk()), box(b"free", bytes(draw.count(5_000)))))
    return head + mdat + extra + index


def _shortened(draw: Draw, sound: SoundPackets) -> SoundPackets:
    packets = sound.packets[: draw.usually(len(sound.packets), 0, 1, 2, 4)]
    return SoundPackets(sound.codec, sound.rate, sound.channels, sound.private, packets, sound.samples)


def _media_box(draw: Draw, media: bytes) -> bytes:
    """The box of the media, with a size of 32 or 64 bits."""
    if draw.likely(0.1):
        return struct.pack(">I4sQ", 1, b"mdat", draw.claim(16 + len(media), 64)) + media
    return struct.pack(">I4s", draw.claim(8 + len(media), chance=0.05), b"mdat") + media


def _movie_header(draw: Draw) -> bytes:
    numbers = (0, 0, draw.claim(1_000), draw.claim(400), 0x10000, *[0] * 19, draw.claim(9))
    return table(b"mvhd", *numbers)


def _track(draw: Draw, number: int, sound: SoundPackets, offset: int) -> bytes:
    """A track of sound; sometimes its tables agree on far more samples than the file has."""
    pcm = sound.codec.startswith("pcm")
    sizes = [1] * (sum(map(len, sound.packets)) // 2) if pcm else [len(packet) for packet in sound.packets]
    if draw.likely(0.2 * draw.wrongness):
        tables = _large_tables(draw, offset, pcm=pcm)
    else:
        tables = _tables(draw, sizes, offset, ticks=1 if pcm else sound.samples, scale=2 if pcm else 1)
    stbl = box(b"stbl", box(b"stsd", bytes(4), _entries(draw, sound)), *tables)
    return _track_of(draw, number, b"soun", stbl, sound.rate)


def _entries(draw: Draw, sound: SoundPackets) -> bytes:
    count = draw.usually(1, 2, 0)
    return struct.pack(">I", draw.claim(count, chance=0.03)) + sample_entry(draw, sound) * count


def _track_of(draw: Draw, number: int, handler: bytes, stbl: bytes, scale: int) -> bytes:
    handlers = box(b"hdlr", bytes(8), handler, bytes(13))
    edits = [_edits(draw)] if draw.likely(0.4) else []
    language = draw.choice((b"\x55\xc4", draw.randbytes(2)))
    media_header = box(
        b"mdhd", bytes(12), struct.pack(">II", draw.claim(scale), draw.usually(0, draw.number(32))), language, bytes(2)
    )
    sound_header = box(b"smhd", bytes(8)) if handler == b"soun" else box(b"vmhd", bytes(12))
    references = box(b"dinf", table(b"dref", 1), box(b"url ", b"\0\0\0\1"))
    media = box(b"mdia", media_header, handlers, box(b"minf", sound_header, references, stbl))
    header = box(b"tkhd", b"\0\0\0\7", struct.pack(">5I", 0, 0, draw.claim(number), 0, draw.number(32)), bytes(60))
    return box(b"trak", header, *edits, media)


def _edits(draw: Draw) -> bytes:
    count = draw.usually(draw.choice((1, 1, 2, 4)), 16, 17, draw.count(300))
    pause, start = (draw.count(500), 0xFFFF_FFFF, 0x10000), (draw.usually(400, 0, draw.number(32)), 0, 0x10000)
    other = (draw.number(32), draw.number(32), draw.number(32))
    lines = [draw.usually(start if place else draw.choice((start, pause)), other) for place in range(count)]
    numbers = [number for line in lines for number in line]
    return box(b"edts", table(b"elst", draw.claim(count), *numbers))


def _tables(draw: Draw, sizes: Sequence[int], offset: int, *, ticks: int, scale: int) -> list[bytes]:
    """Tables that agree: times, sizes, and chunks of any numbers of samples; *scale* is the bytes of a unit of size."""
    chunks = draw.parts(len(sizes), draw.choice((1, 3, 10, 400)))
    runs = [(first, count) for first, count in enumerate(chunks, 1) if first == 1 or chunks[first - 2] != count]
    offsets, at = [], offset
    ends = iter(sizes)
    for count in chunks:
        offsets.append(draw.claim(at, chance=0.01))
        at += scale * sum(size for size, _ in zip(ends, range(count), strict=False))
    times = [(count, draw.claim(ticks, chance=0.05)) for count in draw.parts(len(sizes), draw.choice((0, 2, 50)))]
    constant = scale == 2 or len(set(sizes)) == 1
    sizing = (
        table(b"stsz", scale if scale == 2 else (sizes or [0])[0], draw.claim(len(sizes), chance=0.05))
        if constant
        else table(b"stsz", 0, draw.claim(len(sizes), chance=0.05), *sizes)
    )
    made = [
        rows(b"stts", *times),
        rows(b"stsc", *((first, count, 1) for first, count in runs)),
        sizing,
        _offsets(draw, offsets),
    ]
    made += draw.some([rows(b"ctts", (len(sizes), draw.number(32))), rows(b"stss", (1,)), _groups(draw)], 0.15)
    return made + draw.some(made, 0.02)


def _offsets(draw: Draw, offsets: Sequence[int]) -> bytes:
    if draw.likely(0.1):
        return box(b"co64", struct.pack(f">II{len(offsets)}Q", 0, len(offsets), *offsets))
    return table(b"stco", draw.claim(len(offsets), chance=0.03), *offsets)


def _groups(draw: Draw) -> bytes:
    count = draw.count(50)
    entries = [number for _ in range(count) for number in (draw.number(32), draw.number(32))]
    return table(b"sbgp", int.from_bytes(b"roll"), draw.claim(count), *entries)


def _large_tables(draw: Draw, offset: int, *, pcm: bool) -> list[bytes]:
    """Small tables that agree on a huge number of samples."""
    chunks = draw.choice((1, 2, 41, 1_000))
    total = draw.choice(LARGE_COUNTS)
    each = max(1, total // chunks)
    return [
        rows(b"stts", (each * chunks % 2**32, 1 if pcm else draw.choice((1, 1024)))),
        rows(b"stsc", (1, each, 1)),
        table(b"stsz", draw.choice((1, 2, 4)), each * chunks % 2**32),
        table(b"stco", chunks, *[offset] * chunks),
    ]


def _other_track(draw: Draw, number: int) -> bytes:
    """A track that is no sound, such as a camera's picture or time code."""
    count = draw.choice((0, 1, 25, 1_000))
    entry = box(draw.choice((b"avc1", b"tmcd", b"tx3g", b"text", draw.name())), bytes(8), draw.junk())
    stbl = box(
        b"stbl",
        box(b"stsd", struct.pack(">II", 0, 1), entry),
        rows(b"stts", (count, draw.claim(1))),
        rows(b"stsc", (1, max(1, count), 1)),
        table(b"stsz", draw.choice((4, 100)), count),
        table(b"stco", 1, 48),
    )
    return _track_of(draw, 10 + number, draw.choice(HANDLERS), stbl, 600)


def _fragmented(draw: Draw, sounds: Sequence[SoundPackets]) -> bytes:
    """An index without samples, and fragments whose runs say how many samples they have."""
    empty = [rows(b"stts"), rows(b"stsc"), table(b"stsz", 0, 0), table(b"stco", 0)]
    tracks, defaults = [], []
    for number, sound in enumerate(sounds, 1):
        stbl = box(b"stbl", box(b"stsd", bytes(4), _entries(draw, sound)), *empty)
        tracks.append(_track_of(draw, number, b"soun", stbl, sound.rate))
        defaults.append(table(b"trex", draw.claim(number, chance=0.03), 1, sound.samples, draw.count(9), 0))
    file = box(b"moov", _movie_header(draw), *tracks, box(b"mvex", *defaults), metadata(draw))
    for sequence in range(draw.choice((1, 2, 3, 30))):
        file += _fragment(draw, sequence, sounds)
    return file + draw.choice(
        (b"", b"", box(b"mfra", table(b"tfra", 1, 0, draw.number(32))), box(b"sidx", draw.junk()))
    )


def _fragment(draw: Draw, sequence: int, sounds: Sequence[SoundPackets]) -> bytes:
    number = draw.randint(1, len(sounds))
    packets = sounds[number - 1].packets[: draw.count(20)]
    header = box(b"tfhd", struct.pack(">II", draw.usually(0x20000, 0), draw.claim(number, chance=0.05)))
    time = table(b"tfdt", draw.usually(sequence * 1_024, draw.number(32)))
    count = draw.usually(1, 2)
    parts = (table(b"mfhd", sequence), header, time)
    first = 16 + sum(map(len, parts)) + 8 + count * len(_run(draw, packets, 0))
    runs = [_run(draw, packets, draw.claim(first)) for _ in range(count)]
    moof = box(b"moof", parts[0], box(b"traf", header, time, *runs))
    return moof + box(b"mdat", b"".join(packets))


def _run(draw: Draw, packets: Sequence[bytes], offset: int) -> bytes:
    """The samples of a fragment, from an *offset* to its beginning on."""
    if draw.likely(0.2 * draw.wrongness):
        # No size for each sample: the run may have any number of them.
        return table(b"trun", draw.choice(LARGE_COUNTS), 100)
    sizes = [len(packet) for packet in packets]
    head = struct.pack(">III", 0x201, draw.claim(len(sizes), chance=0.05), offset)
    return box(b"trun", head, struct.pack(f">{len(sizes)}I", *sizes))
