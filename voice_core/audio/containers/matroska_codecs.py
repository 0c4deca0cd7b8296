"""Codecs of several Matroska files that follow one another: FFmpeg decodes all by the description of the first."""

from collections.abc import Iterable, Set

from voice_core.audio.containers.matroska_elements import (
    AUDIO,
    CODEC,
    ENTRY,
    PRIVATE,
    TRACKS,
    Element,
    elements,
    number,
)
from voice_core.domain.errors import InvalidAudio

_SELF_DESCRIBING = (b"A_OPUS", b"A_FLAC", b"A_MPEG")
"""Codecs whose frames hold all that is needed to decode them."""

_MOST_BYTES = 65_536
"""Longest description of another file that is read. A longer one is not compared."""

_SIZE_BYTES = 8


def codecs(tracks: Iterable[Element]) -> Set[tuple[bytes, ...]]:
    """The codecs of the sound tracks in the description *tracks*, each with what its frames do not say."""
    found, entry = set[tuple[bytes, ...]](), dict[int, bytes]()
    for kind, body, _ in (*tracks, Element(ENTRY, b"", 0)):
        if kind in (CODEC, PRIVATE, AUDIO):
            entry[kind] = body
        elif kind == ENTRY:
            codec = entry.get(CODEC, b"")
            if codec.startswith(_SELF_DESCRIBING):
                found.add((codec,))
            elif codec.startswith(b"A_"):
                found.add((codec, entry.get(PRIVATE, b""), entry.get(AUDIO, b"")))
            entry = {}
    return found


class LaterCodecs:
    """Compares the codecs of the files that follow the first one, whose codecs are *known*, while they are read."""

    def __init__(self, known: Set[tuple[bytes, ...]], end: int) -> None:
        """*end* is the offset at which the first file's sound begins."""
        self._known = known
        self._searched = end
        """Offset up to which there is no other description."""
        self._tracks: bytearray | None = None
        """The description that is being read."""

    def check(self, start: int, data: bytes) -> None:
        """Read *data*, which begins at *start* of the file; pieces come in order, and may overlap.

        Raises:
            InvalidAudio: ``audio-unreadable``; a file has a codec that the first one does not have.
        """
        at = max(0, self._searched - start)
        while at < len(data):
            if self._tracks is None:
                at = data.find(TRACKS, at)
                if at < 0:
                    break
                self._tracks = bytearray()
            wanted = self._wanted() - len(self._tracks)
            self._tracks += data[at : at + wanted]
            at += wanted
            if len(self._tracks) == self._wanted():
                self._compare(bytes(self._tracks))
                self._tracks = None
        # The id may begin at the end of one piece, and end in the next.
        unsure = len(TRACKS) - 1 if self._tracks is None else 0
        self._searched = max(self._searched, start + len(data) - unsure)

    def _wanted(self) -> int:
        """Bytes of the description, or of its head while its size is unknown."""
        head = len(TRACKS) + _SIZE_BYTES
        if self._tracks is None or len(self._tracks) < head:
            return head
        size, body = number(bytes(self._tracks[:head]), len(TRACKS), keep_marker=False)
        return max(head, body + size) if size <= _MOST_BYTES else head

    def _compare(self, tracks: bytes) -> None:
        size, body = number(tracks, len(TRACKS), keep_marker=False)
        if not codecs(elements(tracks, body, min(body + size, len(tracks)))) <= self._known:
            detail = "The recording goes on in another codec or layout, which would not be heard."
            raise InvalidAudio(f"{detail} Send each part by itself.")
