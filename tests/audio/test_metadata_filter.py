"""Titles, pictures and chapters: a recording with many is decoded like one without."""

import io
import struct
import zlib

import av
import pytest

from tests.audio.files_with_titles import TITLED, comments, ebml, ogg
from tests.audio.mp4_files import table
from tests.audio.sounds import encoded, read
from voice_core.audio.containers.metadata_filter import MOST_COMMENTS, hiding
from voice_core.audio.containers.ogg_comments import count_comments
from voice_core.audio.ffmpeg import opened
from voice_core.audio.limits import DecodingDeadline, Limits
from voice_core.audio.ranged_file import BLOCK_BYTES
from voice_core.domain.errors import InvalidAudio, UnsupportedFormat

MANY, SOME = 3_000, 100
_DEMUXERS = {"m4a": "mov", "webm": "matroska"}

TRACKS = b"\x16\x54\xae\x6b"


def in_pieces(file: bytes) -> bytes:
    """The sound of *file*, read in pieces like a clip."""
    sound = opened(len(file), lambda start, count: file[start : start + count], Limits(), DecodingDeadline(10))
    try:
        return b"".join(sound.pcm())
    finally:
        sound.close()


def titles(name: str, data: bytes) -> int:
    """How many titles and chapters FFmpeg finds."""
    with av.open(io.BytesIO(data), "r", format=_DEMUXERS.get(name, name), metadata_errors="replace") as file:
        return len(file.metadata) + sum(len(stream.metadata) for stream in file.streams) + len(file.chapters())


@pytest.mark.parametrize("kind", TITLED)
def test_titles_are_not_heard_nor_read(kind: str) -> None:
    """Thousands of titles do not change the sound, and FFmpeg sees none of them, read at once or in pieces."""
    name, make = TITLED[kind]
    file = make(MANY)
    assert read(file) == read(make(0)) == in_pieces(file)
    shown = hiding(name, io.BytesIO(file))(0, file)
    assert titles(name, shown) <= titles(name, make(0))
    assert len(shown) == len(file)


@pytest.mark.parametrize("kind", [kind for kind in TITLED if kind not in ("flac seek table", "wav")])
def test_there_are_titles_to_hide(kind: str) -> None:
    """FFmpeg finds the titles in the unfiltered file."""
    name, make = TITLED[kind]
    assert titles(name, make(SOME)) >= SOME - 1


@pytest.mark.parametrize("codec", ["libopus", "vorbis", "flac"])
def test_an_ogg_of_titles_is_refused(codec: str) -> None:
    """Titles in Ogg cannot be hidden: a file with too many is refused, at once or in pieces; a few are accepted."""
    plain = read(ogg(0, codec))
    assert read(ogg(100, codec)) == plain == in_pieces(ogg(100, codec))
    for attempt in (read, in_pieces):
        with pytest.raises(InvalidAudio, match="titles") as refused:
            attempt(ogg(MOST_COMMENTS + 1, codec))
        assert refused.value.code == "audio-unreadable"


def test_the_titles_of_all_streams_count() -> None:
    """The titles of all streams that FFmpeg sees together are counted; joined files are counted one by one."""
    one = ogg(MOST_COMMENTS // 4)
    assert read(one * 5) == read(one) * 5
    with pytest.raises(InvalidAudio, match="titles"):
        hiding("ogg", io.BytesIO(one * 5))
    with pytest.raises(InvalidAudio, match="titles"):
        read(one + ogg(MOST_COMMENTS + 1))


def test_a_vast_count_without_titles_is_no_harm() -> None:
    """Announced titles that do not fit in the packet do not count."""
    file = ogg(1)
    at = file.index(b"OpusTags") + 8 + 5
    assert count_comments(file) == 1
    assert count_comments(file[:at] + b"\xff\xff\xff\x7f" + file[at + 4 : at + 40]) < 10


@pytest.mark.parametrize("beginning", [b"Speex   ", b"CELT    ", b"\x7fFLAC"])
@pytest.mark.parametrize("size", [0, 8, 14, 255])
def test_streams_of_few_bytes_have_no_titles(beginning: bytes, size: int) -> None:
    """Titles of a stream that breaks off, in its first packet or between two, are counted without error."""
    page = b"OggS" + bytes(22) + bytes((1, size)) + beginning + bytes(255)
    assert count_comments(page) == count_comments(page[:30]) == count_comments(b"OggS") == 0


def test_titles_without_a_name_count() -> None:
    """The titles of Speex, which are in a packet without a name, are counted."""
    body = b"Speex   " + bytes(72) + comments(12)
    page = b"OggS" + bytes(22) + bytes((2, 80, len(body) - 80)) + body
    assert count_comments(page) == 12


def test_pages_within_pages_are_refused() -> None:
    """Page headers within pages, which would be read repeatedly, are refused."""
    with pytest.raises(InvalidAudio, match="pages"):
        read(b"OggS" * 100_000)


def test_too_many_blocks_before_a_flac_are_refused() -> None:
    """A FLAC with too many metadata blocks is refused."""
    file = encoded("flac", "flac", 16_000)
    with pytest.raises(InvalidAudio, match="blocks"):
        read(file[:42] + b"\1\0\0\0" * 5_000 + file[42:])


def test_a_caf_with_a_table_of_millions_is_refused() -> None:
    """FFmpeg makes an entry for each packet of the table; a table with more packets than hours of sound is refused."""
    file = bytearray(encoded("caf", "alac", 24_000))
    at = file.index(b"pakt") + 12
    file[at : at + 8] = struct.pack(">q", 60_000_000)
    with pytest.raises(InvalidAudio, match="index"):
        read(bytes(file))


def packed(algorithm: bytes, private: bytes) -> bytes:
    """A Matroska with a track whose codec private data is compressed."""
    compression = ebml(b"\x50\x34", algorithm)
    track = ebml(b"\xae", ebml(b"\x63\xa2", private), ebml(b"\x6d\x80", ebml(b"\x62\x40", compression)))
    file = encoded("matroska", "aac", 24_000)
    start = file.rindex(TRACKS)
    return file[:start] + ebml(TRACKS, track) + file[start:]


@pytest.mark.parametrize(
    "algorithm", [b"", ebml(b"\x42\x54", b"\0"), ebml(b"\x42\x54", b"\1"), ebml(b"\x42\x54", b"\2")]
)
def test_packed_tracks_are_refused(algorithm: bytes) -> None:
    """A compressed track is refused, since a megabyte could become gigabytes."""
    file = packed(algorithm, zlib.compress(bytes(100_000)))
    for attempt in (read, in_pieces):
        with pytest.raises(UnsupportedFormat, match="compressed once more") as refused:
            attempt(file)
        assert refused.value.code == "audio-format-unsupported"


@pytest.mark.parametrize("encoding", [b"", ebml(b"\x50\x32", b"\3"), ebml(b"\x50\x34", ebml(b"\x42\x55", b"\xff"))])
def test_an_encoding_that_does_not_say_how_is_packed(encoding: bytes) -> None:
    """An encoding without an algorithm counts as compressed, since FFmpeg takes it for zlib."""
    well = ebml(b"\x62\x40", ebml(b"\x50\x34", ebml(b"\x42\x54", b"\3")))
    file = encoded("matroska", "aac", 24_000)
    start = file.rindex(TRACKS)
    for encodings in ((encoding,), (encoding, well), (well, encoding)):
        inside = [one if one is well else ebml(b"\x62\x40", one) for one in encodings]
        track = ebml(b"\xae", ebml(b"\x6d\x80", *inside))
        with pytest.raises(UnsupportedFormat, match="compressed once more"):
            read(file[:start] + ebml(TRACKS, track) + file[start:])


def test_much_that_was_stripped_is_refused() -> None:
    """Header stripping of many bytes is refused, since FFmpeg puts them before each frame."""
    with pytest.raises(InvalidAudio, match="tracks of the file"):
        read(packed(ebml(b"\x42\x54", b"\3") + ebml(b"\x42\x55", bytes(1_000)), b""))


@pytest.mark.parametrize(("kind", "name", "offset"), [("ogg", b"OpusHead", 9), ("webm", b"OpusHead", 9)])
def test_opus_of_hundreds_of_channels_is_refused(kind: str, name: bytes, offset: int) -> None:
    """Opus with hundreds of channels is refused, since FFmpeg opens a decoder for each."""
    file = bytearray(encoded(kind, "libopus", 48_000))
    at = file.index(name) + offset
    assert file[at] == 1
    file[at] = 255
    for attempt in (read, in_pieces):
        with pytest.raises(UnsupportedFormat, match="8 channels"):
            attempt(bytes(file))


def test_opus_of_hundreds_of_channels_is_refused_in_mp4() -> None:
    """Opus with hundreds of channels is refused in MP4, whose box has the count in another place."""
    file = bytearray(encoded("mp4", "libopus", 48_000))
    at = file.index(b"dOps") + 5
    assert file[at] == 1
    file[at] = 255
    with pytest.raises(UnsupportedFormat, match="8 channels"):
        read(bytes(file))


@pytest.mark.parametrize("kind", [b"\x01video\0\0\0", b"\x01audio\0\0\0", b"\x01text\0\0\0\0", b"Direct Show Samples"])
def test_streams_whose_titles_have_no_known_name_are_refused(kind: bytes) -> None:
    """Streams of OGM, which no recorder writes, are refused."""
    file = ogg(1)
    head = b"OggS\0\2" + bytes(8) + b"\7\0\0\0" + bytes(8) + b"\1" + bytes((len(kind),)) + kind
    with pytest.raises(InvalidAudio, match="pages of the file"):
        read(file + head)


def test_header_stripping_is_no_packing() -> None:
    """Header stripping of a few bytes, which some programs write, is accepted."""
    file = packed(ebml(b"\x42\x54", b"\3") + ebml(b"\x42\x55", b"\xff"), b"")
    assert hiding("mkv", io.BytesIO(file))(0, file) != b""


@pytest.mark.parametrize(
    "tracks",
    [
        ebml(TRACKS, b"\xae\x80" * 100),
        ebml(TRACKS, ebml(b"\xae", ebml(b"\x63\xa2", comments(10_000)))),
        ebml(TRACKS, ebml(b"\xae", *[ebml(b"\x86", b"A")] * 10_000)),
        TRACKS + b"\x01" + (BLOCK_BYTES).to_bytes(7) + bytes(BLOCK_BYTES),
    ],
    ids=["tracks", "titles in a setup", "elements", "length"],
)
def test_tracks_that_no_recorder_describes_are_refused(tracks: bytes) -> None:
    """Too many tracks, or long codec private data, are refused: FFmpeg allocates for each, and reads FLAC's titles."""
    file = encoded("webm", "libopus", 48_000)
    start = file.rindex(TRACKS)
    for attempt in (read, in_pieces):
        with pytest.raises(InvalidAudio, match="tracks of the file"):
            attempt(file[:start] + tracks + file[start:])


def test_only_the_first_description_of_tracks_is_shown() -> None:
    """A description of tracks after the checked part of the file is hidden from FFmpeg."""
    file = encoded("webm", "libopus", 48_000)
    late = file + bytes(BLOCK_BYTES) + file[file.index(TRACKS) :]
    shown = hiding("webm", io.BytesIO(late))(0, late)
    assert shown.count(TRACKS) == 1
    assert shown.index(TRACKS) == file.rindex(TRACKS)


def test_few_titles_of_an_mp4_are_left() -> None:
    """A few titles of an MP4 stay, since one of Apple's has the start of the sound."""
    name, make = TITLED["mp4"]
    file = make(3)
    assert titles(name, hiding(name, io.BytesIO(file))(0, file)) == titles(name, file)
    assert table(b"mean", 0) in hiding(name, io.BytesIO(file))(0, file)
