"""The data of a ``data:`` URL (RFC 2397): base64, or bytes of which some are percent-encoded."""

import binascii
import re

from voice_core.audio.sniff import FRAMES_BYTES, sniff
from voice_core.domain.errors import InvalidAudio

LONGEST_TYPE = 4_096
"""Characters before the data: a media type and its parameters."""

_SCHEME, _BASE64 = b"data:", b";base64,"

_MOST_COMMAS = 32
"""Commas that are tried as the start of the data; media recorders write one or two into the list of codecs."""

_ENCODED_FRAMES_BYTES = 3 * FRAMES_BYTES

_STRAY_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def base64_text(text: bytes) -> bytes | None:
    """The base64 in *text* without white space, which may be a URL; None when it is a URL that is not in base64.

    Raises:
        InvalidAudio: ``audio-base64-invalid``; the URL has no data, or an invalid percent-encoding.
    """
    head = text[: LONGEST_TYPE + len(_BASE64)].lower()
    if not head.startswith(_SCHEME):
        return text
    end = head.find(_BASE64)
    if end < 0:
        return None
    return percent_decoded(text[end + len(_BASE64) :])


def plain_data(text: bytes) -> bytes:
    """The data of a URL that is not in base64.

    A comma within the media type, as in an unquoted list of codecs, is not the one before the data. The data of a
    known format are recognised by their first bytes; for others, the first comma outside of quotes counts.

    Raises:
        InvalidAudio: as `base64_text`.
    """
    commas = _commas(text[:LONGEST_TYPE])
    if not commas:
        raise invalid("The data URL has no comma before its data.")
    start = next((at for at in commas if sniff(_percent_decoded(text[at + 1 : at + 1 + _ENCODED_FRAMES_BYTES]))), None)
    return percent_decoded(text[(commas[0] if start is None else start) + 1 :])


def percent_decoded(text: bytes) -> bytes:
    """*text* with its percent-encoded bytes (RFC 3986, 2.1) decoded.

    Raises:
        InvalidAudio: ``audio-base64-invalid``.
    """
    if b"%" in text and _STRAY_PERCENT.search(text):
        raise invalid("A percent sign in the data URL is not followed by two hexadecimal digits.")
    return _percent_decoded(text)


def invalid(detail: str) -> InvalidAudio:
    return InvalidAudio(detail, code="audio-base64-invalid")


def _percent_decoded(text: bytes) -> bytes:
    if b"%" not in text:
        return text
    # Quoted-printable is the same with another sign, and is decoded natively.
    return binascii.a2b_qp(text.replace(b"=", b"=3D").replace(b"%", b"="))


def _commas(head: bytes) -> list[int]:
    """Offsets of the first commas outside of quotes."""
    commas: list[int] = []
    quoted = False
    for at, character in enumerate(head):
        if character == ord('"'):
            quoted = not quoted
        elif character == ord(",") and not quoted and len(commas) < _MOST_COMMAS:
            commas.append(at)
    return commas
