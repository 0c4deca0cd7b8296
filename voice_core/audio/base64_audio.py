"""Audio that came as text in a JSON document."""

import base64
import binascii
from dataclasses import dataclass

from voice_core.audio.pcm_layout import RawPcm
from voice_core.audio.repair import restored
from voice_core.audio.sniff import FRAMES_BYTES, sniff
from voice_core.domain.errors import InvalidAudio

_URI, _URI_END = b"data:", b";base64,"
_LONGEST_URI = 1_000
"""Characters before the data: a media type and its parameters, which may have commas in them."""

_BEGINNING = FRAMES_BYTES // 3 * 4
"""Characters: a file is known by so many."""

_WHITESPACE = b" \t\r\n\f\v"


@dataclass(frozen=True, slots=True)
class EncodedAudio:
    """The bytes that a text stood for."""

    data: bytes
    raw: RawPcm | None = None
    """How *data* is laid out if no container claims it, as far as one can tell; what the caller declares goes first."""
    cut: bool = False
    """True when the text had lost its first 59 characters and the file was put together again."""


def decode_base64_audio(text: str) -> EncodedAudio:
    """Read base64, plain or URL-safe, wrapped or not, padded or not, with or without a ``data:`` URI before it.

    A text of 4 n + 1 characters is no base64 of anything. Unless it begins as a file does, it is what is left of a
    file's base64 after ``substring(59)``, which some clients do to take off a WAV header: then the rest is read.

    Raises:
        InvalidAudio: ``audio-base64-invalid``.
    """
    if not text.isascii():
        # Translating such text takes seconds, in which nothing else runs.
        raise _no_base64()
    encoded = _without_uri(text.encode("ascii").translate(None, _WHITESPACE)).replace(b"-", b"+").replace(b"_", b"/")
    if len(encoded) % 4 == 1:
        _refuse_beginning(encoded)
        # Three characters of any value stand in for the rest of the group that was cut: they make byte 44 wrong.
        return _restored(_strictly_decoded(b"AAA" + encoded)[3:])
    return EncodedAudio(_strictly_decoded(encoded + b"=" * (-len(encoded) % 4)))


def _without_uri(encoded: bytes) -> bytes:
    head = encoded[:_LONGEST_URI].lower()
    end = head.find(_URI_END) if head.startswith(_URI) else -1
    return encoded[end + len(_URI_END) :] if end >= 0 else encoded


def _refuse_beginning(encoded: bytes) -> None:
    """Refuse a text that has lost its end, not its beginning."""
    if sniff(_strictly_decoded(encoded[: min(len(encoded) - 1, _BEGINNING)])):
        raise _invalid("The base64 of the audio ends too early. Send all of it.")


def _restored(tail: bytes) -> EncodedAudio:
    data, raw = restored(tail)
    return EncodedAudio(data, raw, cut=True)


def _strictly_decoded(encoded: bytes) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise _no_base64() from error


def _no_base64() -> InvalidAudio:
    return _invalid("The audio is no valid base64. Encode the bytes of the file, all of them.")


def _invalid(detail: str) -> InvalidAudio:
    return InvalidAudio(detail, code="audio-base64-invalid")
