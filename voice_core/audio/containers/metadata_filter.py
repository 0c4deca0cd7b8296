"""What FFmpeg is not shown of a file: titles, pictures, chapters, and tables of what it need not find again.

Nobody asked for them, and they cost more than they weigh: libavformat looks through all titles for each, and makes room
for as much as a table claims to hold. Nothing is moved: names are changed in place to those of nothing in particular.
Where that cannot be done, a file that has too much of them is refused.
"""

import io
from functools import partial

from voice_core.audio.containers import caf, flac, matroska, mp4
from voice_core.audio.containers.ogg_comments import count_comments
from voice_core.audio.containers.opus import check_channels
from voice_core.audio.containers.tags import Hide, defaced
from voice_core.domain.errors import InvalidAudio

MOST_COMMENTS = 1_000
"""Titles in an Ogg file, whose pages have checksums and so are left as they are. Recordings have a dozen."""


def hiding(name: str, file: io.IOBase, head_bytes: int = -1) -> Hide:
    """What takes all that out of *file*, a container called *name*.

    The titles of an Ogg file are counted in its first *head_bytes*, or in all of it.

    Raises:
        InvalidAudio: ``audio-unreadable``, ``audio-empty`` or ``audio-truncated``; no recorder writes such a file.
        UnsupportedFormat: ``audio-format-unsupported``; a track is packed, or has too many channels.
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
