"""Recordings of any length in the language of `fakes.tone_words`, written in pieces so that memory stays bounded."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np

from fakes.tone_words import RATE, SpokenTones, script
from voice_core.audio import wav

PIECE_SECONDS = 600.0


def pieces(seconds: float) -> Iterator[tuple[bytes, list[SpokenTones]]]:
    """The audio, mono 16-bit PCM at 16 kHz, and its words, at most `PIECE_SECONDS` at a time."""
    begin = 0.0
    while begin < seconds:
        pcm, spoken = script(min(PIECE_SECONDS, seconds - begin), seed=round(begin) + 1)
        yield pcm, [SpokenTones(word.text, word.start + begin, word.end + begin) for word in spoken]
        begin += len(pcm) / (2 * RATE)


def write_wav(file: Path, seconds: float) -> list[SpokenTones]:
    """Write a WAV; returns its words."""
    spoken: list[SpokenTones] = []
    size = 0
    with file.open("wb") as opened:
        opened.write(wav.header(RATE, 0))
        for pcm, words in pieces(seconds):
            opened.write(pcm)
            spoken += words
            size += len(pcm)
        opened.seek(0)
        opened.write(wav.header(RATE, size))
    return spoken


def write_m4a(file: Path, seconds: float) -> list[SpokenTones]:
    """Write an m4a; returns its words."""
    spoken: list[SpokenTones] = []

    def sound() -> Iterator[bytes]:
        for pcm, words in pieces(seconds):
            spoken.extend(words)
            yield pcm

    encode_m4a(file, sound())
    return spoken


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
