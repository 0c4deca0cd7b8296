"""multipart/form-data (RFC 7578), read from a complete body.

Text is decoded as UTF-8, and as Latin-1 where it is not valid UTF-8. The caller cannot choose a charset: some decoders
take time that grows with the square of the text, and Python caches every charset name that it has looked up.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from voice_core.audio.sniff import FRAMES_BYTES, MAGIC_BYTES, sniff
from voice_core.domain.errors import InvalidInput, TooLarge
from voice_core.functions.http.media_type import media_type

MOST_FIELDS = 100
"""Most fields of a form."""

MOST_HEADER_BYTES = 8_192
"""Most bytes of one part's headers."""

LONGEST_BOUNDARY = 70
"""Most characters of a boundary (RFC 2046, 5.1.1)."""

MOST_LIKE_DELIMITERS = 1_000
"""Most lines that begin like the boundary, those of the parts included."""

LONGEST_PADDING = 100
"""Most bytes of white space after a boundary."""

FILE_TYPES = ("audio/", "video/", "application/octet-stream")
"""Prefixes of the content types that make a part a file even without a file name."""

_TOO_MANY = f"It has more than one file or more than {MOST_FIELDS} fields."

UTF_8 = (b"", b"utf-8", b"utf8", b"us-ascii")
"""Names of UTF-8 and its subset as ``charset`` of a form, in lower case; without the parameter it is UTF-8 too."""


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file in a form, with the content type that the form states."""

    data: bytes
    content_type: str | None


@dataclass(frozen=True, slots=True)
class Form:
    """Pairs of field name and value, repeated fields included, and the file if there is one."""

    fields: list[tuple[str, str]]
    file: FormFile | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    name: bytes
    filename: bytes | None
    content_type: str | None
    data: bytes

    @property
    def is_file(self) -> bool:
        """Whether it has a file name, one of the `FILE_TYPES`, or the first bytes of a recording.

        No text has NUL in it, and the header of every container has.
        """
        if self.filename is not None or (self.content_type or "").lower().startswith(FILE_TYPES):
            return True
        return b"\0" in self.data[:MAGIC_BYTES] and sniff(self.data[:FRAMES_BYTES]) is not None

    @property
    def unused(self) -> bool:
        """Whether it is a file input in which the user chose no file, as a browser sends it (HTML, 4.10.21.4)."""
        return self.filename == b"" and not self.data


def read_form(body: bytes, boundary: bytes, other_bytes: int) -> Form:
    """The form in *body*, whose parts are separated by *boundary*.

    Raises:
        InvalidInput: ``multipart-invalid``.
        TooLarge: ``body-too-large``; the fields other than ``audioData`` exceed *other_bytes*.
    """
    parts = list(_parts(body, boundary))
    files = [part for part in parts if part.is_file and not part.unused]
    fields = [part for part in parts if not part.is_file]
    if len(files) > 1 or len(fields) > MOST_FIELDS:
        raise _invalid(_TOO_MANY)
    if sum(len(part.data) for part in fields if part.name.lower() != b"audiodata") > other_bytes:
        raise TooLarge("Only a recording may make the body that large.", code="body-too-large")
    file = FormFile(files[0].data, files[0].content_type) if files else None
    return Form([(_text(part.name), _text(part.data)) for part in fields], file)


def _parts(body: bytes, boundary: bytes) -> Iterator[_Part]:
    """The parts between the delimiters."""
    start = None
    for number, (begin, end, last) in enumerate(_delimiters(body, b"\r\n--" + boundary)):
        if start is not None:
            yield _part(body, start, begin)
        start = end
        if last:
            return
        if number > MOST_FIELDS:
            raise _invalid(_TOO_MANY)
    raise _invalid("The closing boundary is missing." if start is not None else "It does not contain the boundary.")


def _delimiters(body: bytes, delimiter: bytes) -> Iterator[tuple[int, int, bool]]:
    """Where each *delimiter* begins and ends, and whether it is the last (RFC 2046, 5.1.1).

    The line end before it belongs to it; at the beginning of *body* there is none.
    """
    if body.startswith(delimiter[2:]):
        begin, end = 0, len(delimiter) - 2
    else:
        begin = body.find(delimiter)
        end = begin + len(delimiter)
    for _ in range(MOST_LIKE_DELIMITERS):
        if begin < 0:
            return
        if body.startswith(b"--", end):
            yield begin, end + 2, True
            return
        rest = body[end : end + LONGEST_PADDING]
        padded = end + len(rest) - len(rest.lstrip(b" \t"))
        if body.startswith(b"\r\n", padded):
            yield begin, padded, False
        begin = body.find(delimiter, end)
        end = begin + len(delimiter)
    raise _invalid("Too many lines in it begin like the boundary.")


def _part(body: bytes, start: int, end: int) -> _Part:
    """The part of *body* from *start*, the line end before the part's headers, to *end*."""
    data_start = body.find(b"\r\n\r\n", start, min(end, start + MOST_HEADER_BYTES))
    if data_start < 0:
        raise _invalid(f"A part has no headers, or more than {MOST_HEADER_BYTES} bytes of them.")
    headers: dict[bytes, bytes] = {}
    for line in body[start:data_start].split(b"\r\n"):
        name, _, value = line.partition(b":")
        headers[name.strip().lower()] = value.strip()
    _, parameters = media_type(headers.get(b"content-disposition"))
    if b"name" not in parameters:
        raise _invalid("A part has no name.")
    content_type = headers.get(b"content-type", b"").decode("latin-1") or None
    return _Part(parameters[b"name"], parameters.get(b"filename"), content_type, body[data_start + 4 : end])


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _invalid(why: str) -> InvalidInput:
    return InvalidInput(f"The multipart body cannot be read. {why} See docs/api.md.", code="multipart-invalid")
