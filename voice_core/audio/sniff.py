"""Recognises audio formats by their bytes, not by names or media types."""

from voice_core.audio.bare_frames import begins_like_a_frame, first_frame, frames_kind
from voice_core.audio.containers.tags import id3_bytes
from voice_core.audio.wav import RIFF_KINDS

MAGIC_BYTES = 64
"""Bytes from which every container is recognised, except bare streams of frames."""

FRAMES_BYTES = 8_192
"""Bytes that hold four frames of MPEG audio, the longest of 1,729 bytes, and of any AAC that a phone makes."""

SEARCH_BYTES = 16_384
"""Bytes in which the first frame of a stream is searched that was cut at any point."""

ACCEPTED = "wav, w64, aiff, au, caf, mp3, aac, latm, m4a, mp4, 3gp, mov, ogg, webm, mkv, flac, amr"

_MAGICS = (
    (b"OggS", "ogg"),
    (b"fLaC", "flac"),
    (b"caff", "caf"),
    (b".snd", "au"),
    (b"#!AMR\n", "amr"),
    (b"#!AMR-", "amr"),
    (b"#!AMR_", "amr"),
    (b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb", "w64"),
)
_BOXES = (b"ftyp", b"moov", b"mdat", b"moof", b"styp", b"free", b"skip", b"wide")
_LONGEST_BOX_BYTES = 2**28
_EBML = b"\x1a\x45\xdf\xa3"


def sniff(head: bytes | bytearray) -> str | None:
    """The name of the container that begins with *head*; None when it is unknown.

    ID3 tags are skipped. While the bytes after them have not arrived, MP3 is the best guess.
    """
    if head.startswith(b"ID3"):
        return _sniff_untagged(head[id3_bytes(head) :]) or "mp3"
    return _sniff_untagged(head)


def _sniff_untagged(head: bytes | bytearray) -> str | None:
    return magic_name(head) or frames_kind(head)


def magic_name(head: bytes | bytearray) -> str | None:
    """The name of the container whose magic number *head* begins with; bare frames have none."""
    for magic, name in _MAGICS:
        if head.startswith(magic):
            return name
    if head[:4] in RIFF_KINDS and head[8:12] == b"WAVE":
        return "wav"
    if head.startswith(b"FORM") and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[4:8] in _BOXES and int.from_bytes(head[:4]) < _LONGEST_BOX_BYTES:
        return _mp4_flavour(bytes(head[8:12]))
    if head.startswith(_EBML):
        return "webm" if b"webm" in head[:64] else "mkv"
    return None


def beginning(head: bytes | bytearray) -> int:
    """Offset of the recording in *head*: behind ID3 tags, and behind what precedes the first frame of a bare stream.

    A stream that was cut begins in the middle of a frame, and some begin with zeros or other bytes.
    """
    start = id3_bytes(head)
    untagged = head[start : start + SEARCH_BYTES]
    if len(untagged) < MAGIC_BYTES or _sniff_untagged(untagged):
        return start
    found = first_frame(untagged)
    return start + (found[0] if found else 0)


def decided(head: bytes | bytearray, *, searched: bool = False) -> bool:
    """Whether more bytes cannot change the result of `sniff`; if *searched*, that of `beginning` either."""
    start = id3_bytes(head)
    untagged = head[start : start + SEARCH_BYTES]
    if len(untagged) < MAGIC_BYTES:
        return False
    if _sniff_untagged(untagged) is not None:
        return True
    if searched:
        return len(untagged) == SEARCH_BYTES
    return len(untagged) >= FRAMES_BYTES or not begins_like_a_frame(untagged)


def _mp4_flavour(brand: bytes) -> str:
    if brand.startswith((b"3gp", b"3g2", b"3gg", b"3gs")):
        return "3gp"
    return {b"M4A ": "m4a", b"M4B ": "m4a", b"qt  ": "mov"}.get(brand, "mp4")
