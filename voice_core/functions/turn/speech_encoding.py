"""Encoding of speech for responses, with its description in JSON."""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from voice_core.audio import wav
from voice_core.domain.audio import SPEECH_RATE, milliseconds
from voice_core.functions.turn.schemas import AudioFormat, ResponseFormat

if TYPE_CHECKING:
    from voice_core.audio.encoding import SpeechEncoder

Encoders = Callable[[ResponseFormat], "SpeechEncoder"]

MEDIA_TYPES: dict[ResponseFormat, str] = {
    "pcm": f"audio/pcm;rate={SPEECH_RATE}",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
}
_FILES: tuple[ResponseFormat, ...] = ("wav", "mp3", "opus")
AUDIO_OFFERS: dict[str, ResponseFormat] = {MEDIA_TYPES[name]: name for name in _FILES}
"""The audio formats that can be requested by Accept, by media type."""


def describe_format(audio_format: ResponseFormat) -> AudioFormat:
    """The description of speech in *audio_format*."""
    return AudioFormat(
        format=audio_format,
        media_type=MEDIA_TYPES[audio_format],
        sample_rate=48_000 if audio_format == "opus" else SPEECH_RATE,
        bits_per_sample=16 if audio_format in ("pcm", "wav") else None,
    )


async def speech_members(pcm: bytes, audio_format: ResponseFormat, encoders: Encoders) -> dict[str, Any]:
    """The members of a JSON response for *pcm*, the complete speech: mono 16-bit at 24 kHz."""
    encoded = await asyncio.to_thread(encode_file, pcm, audio_format, encoders) if pcm else b""
    return {
        "audio_data": b64encode(encoded).decode(),
        "audio_format": describe_format(audio_format),
        "duration_ms": milliseconds(len(pcm), SPEECH_RATE),
    }


def encode_file(pcm: bytes, audio_format: ResponseFormat, encoders: Encoders) -> bytes:
    """*pcm*, the complete speech (mono 16-bit at 24 kHz), as one file."""
    if audio_format == "wav":
        return wav.whole(pcm, SPEECH_RATE)
    encoder = encoders(audio_format)
    return encoder.feed(pcm) + encoder.finish()
