"""Parts of a file that are hidden from FFmpeg: titles, pictures, chapters, and tables for seeking.

We need none of them, and they are expensive: libavformat searches all titles for each title, and allocates as much as a
table claims to hold. Nothing is moved: names are overwritten in place with names that FFmpeg ignores. Where that is not
possible, a file with too many of them is refused.
"""

import io
from functools import partial

from voice_core.audio.containers import caf, flac, matroska, mp4
from voice_core.audio.containers.ogg_comments import count_comments
from voice_core.audio.containers.opus import check_channels
from voice_core.audio.containers.tags import Hide, defaced
from voice_core.domain.errors import InvalidAudio

MOST_COMMENTS = 1_000
"""Titles in an Ogg file; its pages have checksums and therefore cannot be changed. Recordings have a dozen."""


def hiding(name: str, file: io.IOBase, head_bytes: int = -1) -> Hide:
    """The filter that hides these parts of *file*, a container called *name*.

    The titles of an Ogg file are counted in its first *head_bytes*, or in all of it.

    Raises:
        InvalidAudio: ``audio-unreadable``, ``audio-empty`` or ``audio-truncated``; no recorder writes such a file.
        UnsupportedFormat: ``audio-format-unsupported``; a track is compressed, or has too many channels.
    """
    if name in mp4.NAMES:
        return mp4.hiding(file)
    if name == "flac":
        return flac.hiding(file)
    if name == "caf":
        return caf.hiding(file)
    if name in ("webm", "mkv"):
        return matroska.hiding(file)
    if name == "ogg":
        file.seek(0)
        head = file.read(head_bytes)
        check_channels(head)
        _check_comments(head)
    return partial(_defaced, name)


def _check_comments(head: bytes) -> None:
    if count_comments(head) > MOST_COMMENTS:
        raise InvalidAudio("The recording has too many titles. Send it without them.")


def _defaced(name: str, _start: int, data: bytes) -> bytes:
    return defaced(data, name)
