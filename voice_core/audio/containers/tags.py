"""Tags in recordings: titles, pictures and the like, which we do not need."""

from collections.abc import Callable, Mapping, Sequence

Hide = Callable[[int, bytes], bytes]
"""Gets an offset in a file and the bytes there; returns these bytes as FFmpeg sees them, nothing moved."""

HEADER_BYTES = 10
"""Header of an ID3v2 tag (id3.org, ID3v2.4 structure 3.1)."""

OVERLAP_BYTES = 15
"""Bytes beyond a piece of a file that are searched too: the longest name of a tag has one more."""

_ID3 = (b"ID3\x02", b"ID3\x03", b"ID3\x04")
MATROSKA_UNKNOWN = b"\x1f\0\0\x01"
"""An id that no element has, so that readers skip it (RFC 8794, 11.1)."""

_MATROSKA = (b"\x12\x54\xc3\x67", b"\x10\x43\xa7\x70", b"\x19\x41\xa4\x69", b"\x1c\x53\xbb\x6b", b"\x11\x4d\x9b\x74")
"""Tags, Chapters, Attachments, Cues and SeekHead (RFC 9559, 5.1): FFmpeg finds the others by the last."""

_W64_TITLES = b"\xbc\x94\x5f\x92\x5a\x52\xd2\x11\x86\xdc\x00\xc0\x4f\x8e\xdb\x8a"
"""The GUID of a Wave64 summary list."""

_BEGINNINGS: Mapping[str, Sequence[bytes]] = {
    "mp3": _ID3,
    "aac": (*_ID3, b"APETAGEX"),
    "aiff": _ID3,
    "wav": (*_ID3, b"LIST"),
    "w64": (_W64_TITLES,),
    "webm": _MATROSKA,
    "mkv": _MATROSKA,
}
"""First bytes of the tags that FFmpeg reads wherever they are in a file, by container."""

_MOST = 16
"""Consecutive tags: real files have one or two; the limit bounds the work on a crafted file."""


def id3_bytes(head: bytes | bytearray) -> int:
    """Size of the ID3v2 tags at the start of *head*, even if they have not arrived completely."""
    end = 0
    for _ in range(_MOST):
        if not head.startswith(b"ID3", end) or len(head) < end + HEADER_BYTES:
            break
        end += _tag_bytes(head[end : end + HEADER_BYTES])
    return end


def defaced(data: bytes, container: str) -> bytes:
    """*data* with the first bytes of tags made unreadable, and nothing moved.

    FFmpeg inflates the compressed frames of ID3 and allocates as much as a LIST claims to hold: a gigabyte for a few
    kilobytes. It searches all titles for each title, and all of Matroska's once more for each of its tags.
    """
    for beginning in _BEGINNINGS.get(container, ()):
        data = data.replace(beginning, MATROSKA_UNKNOWN if beginning in _MATROSKA else bytes(len(beginning)))
    return data


def patched(patches: Mapping[int, bytes], start: int, data: bytes) -> bytes:
    """*data*, which begins at *start* of its file, with other bytes at some offsets of the file."""
    changed = bytearray(data)
    for at, new in patches.items():
        for index, byte in enumerate(new, at - start):
            if 0 <= index < len(changed):
                changed[index] = byte
    return bytes(changed)


def _tag_bytes(header: bytes | bytearray) -> int:
    size = 0
    for seven_bits in header[6:HEADER_BYTES]:
        size = size << 7 | seven_bits & 0x7F
    footer = HEADER_BYTES if header[5] & 0x10 else 0
    return HEADER_BYTES + size + footer
