"""The sound that Chromium's fake microphone plays."""

import wave
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.conftest import ROOT


@dataclass(frozen=True, slots=True)
class Words:
    """A recording of spoken words."""

    pcm: bytes
    """16-bit, mono."""
    rate: int
    """Hertz."""


def sample() -> Words:
    """A voice says: Hello, what is the weather like today?"""
    with wave.open(str(ROOT / "samples" / "hello.wav")) as recording:
        return Words(recording.readframes(recording.getnframes()), recording.getframerate())


async def spoken(http: aiohttp.ClientSession, api: str, text: str) -> Words:
    """*text*, spoken by the product whose API is at the URL *api*."""
    headers = {"Accept": "application/json"}
    async with http.post(f"{api}/speak", json={"text": text}, headers=headers, raise_for_status=True) as response:
        speech = await response.json()
    return Words(b64decode(speech["audioData"]), speech["audioFormat"]["sampleRate"])


def write_microphone(path: Path, words: Words, *, before_seconds: float = 0.5, after_seconds: float = 1.0) -> Path:
    """Write a WAV of *words* between pauses, which Chromium plays in a loop from the first press on."""
    with wave.open(str(path), "wb") as loop:
        loop.setnchannels(1)
        loop.setsampwidth(2)
        loop.setframerate(words.rate)
        loop.writeframes(_silence(words, before_seconds) + words.pcm + _silence(words, after_seconds))
    return path


def _silence(words: Words, seconds: float) -> bytes:
    return bytes(2 * round(words.rate * seconds))
