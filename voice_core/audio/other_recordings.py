"""Recordings of another kind behind the one that a file begins with: FFmpeg would leave them out."""

import re
from collections.abc import Iterator, Mapping
from functools import cache

from voice_core.audio.bare_frames import has_other_frames
from voice_core.domain.errors import InvalidAudio

SEARCHED_BYTES = 65_536
"""Bytes at the end of a recording in which frames of MPEG audio, ADTS or LATM are searched."""

OVERLAP_BYTES = 80
"""Bytes beyond a piece of a file that are searched too: the longest beginning of a recording is shorter."""

_Beginning = tuple[bytes, int, bytes]
"""The first bytes of recordings, of 48 bits and more, which hardly occur by chance: a part of them that never changes,
where it is in them, and their pattern. To search a constant is twenty times faster than to search a pattern.
"""

_BEGINNINGS: Mapping[str, _Beginning] = {
    "wav": (b"WAVE", 8, rb"(?:RIFF|RIFX|RF64|BW64)....WAVE"),
    "ogg": (b"OggS\0\x02", 0, rb"OggS\0\x02"),
    "flac": (b"fLaC", 0, rb"fLaC[\0\x80]\0\0\x22"),
    "aiff": (b"FORM", 0, rb"FORM....AIF[FC]"),
    "caf": (b"caff\0\x01\0\0", 0, rb"caff\0\x01\0\0"),
    "au": (b".snd\0\0", 0, rb"\.snd\0\0.{6}\0\0\0.\0\0..\0\0\0."),
    "amr": (b"#!AMR", 0, rb"#!AMR(?:-WB)?\n"),
    "w64": (b"riff\x2e\x91\xcf\x11", 0, rb"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb"),
    "mkv": (b"\x1a\x45\xdf\xa3", 0, rb"\x1a\x45\xdf\xa3.{1,40}?\x42\x82.(?:webm|matroska)"),
    "mp4": (b"ftyp", 4, rb"\0\0\0.ftyp(?:M4A |M4B |isom|iso\d|mp4\d|qt  |3gp\d|3g2.|avc1|dash|MSNV|mmp4)"),
}

_FAMILIES = {"webm": "mkv", "m4a": "mp4", "mov": "mp4", "3gp": "mp4"}

_IN_OGG, _CODEC_PRIVATE = b"\x7fFLAC", b"\x63\xa2"
"""The packet of Ogg and the element of Matroska that hold the header of a FLAC file."""


def check_for_others(data: bytes, name: str) -> None:
    """Refuse *data*, part of a recording called *name*, if a recording of another kind begins in it.

    Raises:
        InvalidAudio: ``audio-unreadable``.
    """
    family = _FAMILIES.get(name, name)
    if any(kind != family for kind in _beginnings(data)):
        raise goes_on()


def check_end(data: bytes, name: str) -> None:
    """Refuse *data*, the end of a recording called *name*, if other frames than its own are in it. Raises the same."""
    if has_other_frames(data, name):
        raise goes_on()


def goes_on() -> InvalidAudio:
    return InvalidAudio("The recording goes on in another format, which would not be heard. Send each part by itself.")


def _beginnings(data: bytes) -> Iterator[str]:
    for name, (literal, offset, pattern) in _BEGINNINGS.items():
        at = data.find(literal, offset)
        while at >= 0:
            start = at - offset
            if _compiled(pattern).match(data, start) and not (name == "flac" and _is_inside(data, start)):
                yield name
            at = data.find(literal, at + 1)


def _is_inside(data: bytes, start: int) -> bool:
    """Whether the header of a FLAC file at *start* is part of Ogg or Matroska."""
    before = data[max(0, start - 16) : start]
    return _IN_OGG in before or _CODEC_PRIVATE in before


@cache
def _compiled(pattern: bytes) -> "re.Pattern[bytes]":
    return re.compile(pattern, re.DOTALL)
