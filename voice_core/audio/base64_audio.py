"""Base64 audio from a JSON document."""

import base64
import binascii
from dataclasses import dataclass

from voice_core.audio.data_url import base64_text, invalid, plain_data
from voice_core.audio.pcm_layout import RawPcm
from voice_core.audio.repair import restored
from voice_core.audio.sniff import FRAMES_BYTES, sniff
from voice_core.domain.errors import InvalidAudio

_BEGINNING = FRAMES_BYTES // 3 * 4
"""Characters from which the format of a file is known."""

_WHITESPACE = b" \t\r\n\f\v"


@dataclass(frozen=True, slots=True)
class EncodedAudio:
    """The decoded bytes of a text."""

    data: bytes
    raw: RawPcm | None = None
    """The likely layout of *data* that is in no container; a layout that the caller declares takes precedence."""
    cut: bool = False
    """True when the text had lost its first 59 characters and the file was restored."""


def decode_base64_audio(text: str) -> EncodedAudio:
    """Read base64, plain or URL-safe, wrapped or not, padded or not, with or without a ``data:`` URL before it.

    A ``data:`` URL may also have its bytes percent-encoded instead.

    A text of 4 n + 1 characters is not valid base64. Unless it begins like a file, it is the rest of a file's base64
    after ``substring(59)``, by which some clients remove a WAV header: then this rest is read.

    Raises:
        InvalidAudio: ``audio-base64-invalid``.
    """
    if not text.isascii():
        # Translating such text takes seconds, and blocks everything else.
        raise _no_base64()
    stripped = text.encode("ascii").translate(None, _WHITESPACE)
    encoded = base64_text(stripped)
    if encoded is None:
        return EncodedAudio(plain_data(stripped))
    encoded = encoded.replace(b"-", b"+").replace(b"_", b"/")
    if len(encoded) % 4 == 1:
        _refuse_beginning(encoded)
        # Any three characters replace the lost ones of the group that was cut: only byte 44 is wrong then.
        return _restored(_strictly_decoded(b"AAA" + encoded)[3:])
    return EncodedAudio(_strictly_decoded(encoded + b"=" * (-len(encoded) % 4)))


def _refuse_beginning(encoded: bytes) -> None:
    """Refuse a text that has lost its end, not its beginning."""
    if sniff(_strictly_decoded(encoded[: min(len(encoded) - 1, _BEGINNING)])):
        raise invalid("The base64 of the audio ends too early. Send all of it.")


def _restored(tail: bytes) -> EncodedAudio:
    data, raw = restored(tail)
    return EncodedAudio(data, raw, cut=True)


def _strictly_decoded(encoded: bytes) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise _no_base64() from error


def _no_base64() -> InvalidAudio:
    return invalid("The audio is no valid base64. Encode the bytes of the file, all of them.")
