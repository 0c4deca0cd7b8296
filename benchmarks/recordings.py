"""Recordings of any length in the language of `tests.tone_words`, made without holding them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np

from tests.tone_words import RATE, Spoken, script
from voice_core.audio import wav

PIECE_SECONDS = 600.0


def pieces(seconds: float) -> Iterator[tuple[bytes, list[Spoken]]]:
    """The sound, mono 16-bit PCM at 16 kHz, and what it says, some minutes at a time."""
    told = 0.0
    while told < seconds:
        pcm, said = script(min(PIECE_SECONDS, seconds - told), seed=round(told) + 1)
        yield pcm, [Spoken(word.text, word.start + told, word.end + told) for word in said]
        told += len(pcm) / (2 * RATE)


def write_wav(file: Path, seconds: float) -> list[Spoken]:
    """Write a WAV; gives its words."""
    said: list[Spoken] = []
    with file.open("wb") as opened:
        opened.write(wav.header(RATE, 0))
        for pcm, words in pieces(seconds):
            opened.write(pcm)
            said += words
        size = opened.tell() - 44
        opened.seek(0)
        opened.write(wav.header(RATE, size))
    return said


def write_m4a(file: Path, seconds: float) -> list[Spoken]:
    """Write an m4a; gives its words."""
    said: list[Spoken] = []

    def sound() -> Iterator[bytes]:
        for pcm, words in pieces(seconds):
            said.extend(words)
            yield pcm

    encode_m4a(file, sound())
    return said


def encode_m4a(file: Path, sound: Iterable[bytes]) -> None:
    """Write *sound*, pieces of mono 16-bit PCM at 16 kHz, as an m4a with its index at the end."""
    with av.open(str(file), "w", format="ipod") as opened:
        stream = opened.add_stream("aac", rate=RATE, layout="mono")
        stream.bit_rate = 64_000
        for pcm in sound:
            for start in range(0, len(pcm), 2 * RATE):
                samples = np.frombuffer(pcm[start : start + 2 * RATE], "<i2").reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
                frame.sample_rate = RATE
                opened.mux(stream.encode(frame))
        opened.mux(stream.encode(None))
