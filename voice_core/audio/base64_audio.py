"""Audio that came as text in a JSON document."""

import base64
import binascii
import re
from dataclasses import dataclass

from voice_core.audio.cut import restored
from voice_core.audio.raw import RawPcm
from voice_core.domain.errors import InvalidAudio

_DATA_URI = re.compile(r"data:[^,]{0,200};base64,", re.IGNORECASE)
_URL_SAFE = str.maketrans("-_", "+/")
_WHITESPACE = str.maketrans("", "", " \t\r\n\f\v")


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

    A text of 4 n + 1 characters is no base64 of anything. It is what is left of a file's base64 after
    ``substring(59)``, which some clients do to take off a WAV header: then the rest is read.

    Raises:
        InvalidAudio: ``audio-base64-invalid``.
    """
    text = text.translate(_WHITESPACE)
    if uri := _DATA_URI.match(text):
        text = text[uri.end() :]
    text = text.translate(_URL_SAFE)
    if len(text) % 4 == 1:
        # Three characters of any value stand in for the rest of the group that was cut: they make byte 44 wrong.
        return _restored(_strictly_decoded("AAA" + text)[3:])
    return EncodedAudio(_strictly_decoded(text + "=" * (-len(text) % 4)))


def _restored(tail: bytes) -> EncodedAudio:
    data, raw = restored(tail)
    return EncodedAudio(data, raw, cut=True)


def _strictly_decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidAudio("the audio is not valid base64", code="audio-base64-invalid") from error
