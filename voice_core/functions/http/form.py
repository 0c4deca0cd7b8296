"""multipart/form-data (RFC 7578), read from a body that is complete.

Text is UTF-8; what is not is read as Latin-1. To decode in a charset of the caller's choice may take time that grows
with the square of the text, and Python remembers every name that it ever looked up.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from voice_core.domain.errors import InvalidInput, TooLarge
from voice_core.functions.http.media_type import media_type

MOST_FIELDS = 100
MOST_HEADER_BYTES = 8_192
"""Most bytes of one part's headers."""

FILE_TYPES = ("audio/", "video/", "application/octet-stream")
"""Beginnings of the content types that make a part a file, though it has no file name."""

_TOO_MANY = f"It has more than one file or {MOST_FIELDS} fields."

UTF_8 = (b"", b"utf-8", b"utf8", b"us-ascii")
"""Charsets that need no other decoder."""


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file in a form, and what it is called there."""

    data: bytes
    content_type: str | None


@dataclass(frozen=True, slots=True)
class Form:
    """Fields by name, as often as they were given, and the file if there is one."""

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
        return self.filename is not None or (self.content_type or "").lower().startswith(FILE_TYPES)

    @property
    def unused(self) -> bool:
        """Whether it is what a browser sends of a file input in which nothing was chosen (HTML, 4.10.21.4)."""
        return self.filename == b"" and not self.data


def read_form(body: bytes, boundary: bytes, other_bytes: int) -> Form:
    """The form in *body*, whose parts *boundary* separates.

    Raises:
        InvalidInput: ``multipart-invalid``.
        TooLarge: ``body-too-large``; more than *other_bytes* are neither the file nor ``audioData``.
    """
    parts = list(_parts(b"\r\n" + body, boundary))
    files = [part for part in parts if part.is_file and not part.unused]
    fields = [part for part in parts if not part.is_file]
    if len(files) > 1 or len(fields) > MOST_FIELDS:
        raise _invalid(_TOO_MANY)
    if sum(len(part.data) for part in fields if part.name.lower() != b"audiodata") > other_bytes:
        raise TooLarge("Only a recording may make the body that large.", code="body-too-large")
    file = FormFile(files[0].data, files[0].content_type) if files else None
    return Form([(_text(part.name), _text(part.data)) for part in fields], file)


def _parts(body: bytes, boundary: bytes) -> Iterator[_Part]:
    """What is between two delimiters each (RFC 2046, 5.1.1)."""
    delimiter = re.compile(rb"\r\n--" + re.escape(boundary) + rb"(?:(--)|[ \t]*+(?=\r\n))")
    start = None
    for number, found in enumerate(delimiter.finditer(body)):
        if start is not None:
            yield _part(body, start, found.start())
        start = found.end()
        if found[1]:
            return
        if number > MOST_FIELDS:
            raise _invalid(_TOO_MANY)
    raise _invalid("Its end is missing." if start is not None else "The boundary is not in it.")


def _part(body: bytes, start: int, end: int) -> _Part:
    """The part in *body* from *start*, at the line end before its headers, to *end*."""
    data_start = body.find(b"\r\n\r\n", start, min(end, start + MOST_HEADER_BYTES))
    if data_start < 0:
        raise _invalid(f"A part has no headers, or more than {MOST_HEADER_BYTES} bytes of them.")
    headers: dict[bytes, bytes] = {}
    for line in body[start:data_start].split(b"\r\n"):
        name, _, value = line.partition(b":")
        headers[name.strip().lower()] = value.strip()
    _, named = media_type(headers.get(b"content-disposition"))
    if b"name" not in named:
        raise _invalid("A part has no name.")
    content_type = headers.get(b"content-type", b"").decode("latin-1") or None
    return _Part(named[b"name"], named.get(b"filename"), content_type, body[data_start + 4 : end])


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _invalid(why: str) -> InvalidInput:
    return InvalidInput(f"The multipart body cannot be read. {why} See docs/api.md.", code="multipart-invalid")
