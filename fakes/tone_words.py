"""Words that are tones, for tests of long recordings: fast to synthesise, fast to recognise, and exact to the word."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from emulators.speech.engines import RecognitionResult, Word

RATE = 16_000
VOCABULARY = 100
WORD_SECONDS, GAP_SECONDS = 0.3, 0.1
LOWEST_HERTZ, STEP_HERTZ = 300, 25
LEVEL = 8_000
LOUD = 1_500

FRAME = 160
"""Samples of 10 ms."""


@dataclass(frozen=True, slots=True)
class SpokenTones:
    """A word with its start and end, in seconds from the start of the recording."""

    text: str
    start: float
    end: float


def sentence(numbers: Sequence[int]) -> NDArray[np.int16]:
    """The sound of the words with these numbers, one after the other: samples at 16 kHz."""
    gap = np.zeros(round(GAP_SECONDS * RATE), np.int16)
    return np.concatenate([piece for number in numbers for piece in (_tone(number), gap)])


def script(seconds: float, seed: int = 1) -> tuple[bytes, list[SpokenTones]]:
    """Speech of about *seconds*, as mono 16-bit PCM at 16 kHz, and its words with their times.

    It consists of sentences of 5 to 20 words with pauses of 0.8 to 1.5 s between them.
    """
    random, pieces, spoken, at = Random(seed), [], [], 0
    while at < seconds * RATE:
        numbers = [random.randrange(VOCABULARY) for _ in range(random.randint(5, 20))]
        for place, number in enumerate(numbers):
            start = at / RATE + place * (WORD_SECONDS + GAP_SECONDS)
            spoken.append(SpokenTones(word(number), start, start + WORD_SECONDS))
        pause = np.zeros(round(random.uniform(0.8, 1.5) * RATE), np.int16)
        pieces += [sentence(numbers), pause]
        at += pieces[-2].size + pieces[-1].size
    return np.concatenate(pieces).tobytes(), spoken


def word(number: int) -> str:
    return f"w{number:02}"


def recognize(pcm: bytes) -> list[SpokenTones]:
    """The words in mono 16-bit PCM at 16 kHz; a part of a word counts as a word."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], np.int16).astype(np.float32)
    frames = samples[: samples.size // FRAME * FRAME].reshape(-1, FRAME)
    loud = np.sqrt((frames**2).mean(axis=1)) > LOUD
    return [_word(samples, start * FRAME, end * FRAME) for start, end in _runs(loud)]


def _word(samples: NDArray[np.float32], start: int, end: int) -> SpokenTones:
    # Zero padding makes the bins fine enough for any length.
    spectrum = np.abs(np.fft.rfft(samples[start:end] * np.hanning(end - start), RATE))
    number = round((int(np.argmax(spectrum)) - LOWEST_HERTZ) / STEP_HERTZ)
    return SpokenTones(word(number), start / RATE, end / RATE)


def _runs(flags: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _tone(number: int) -> NDArray[np.int16]:
    hertz = LOWEST_HERTZ + number * STEP_HERTZ
    times = np.arange(round(WORD_SECONDS * RATE)) / RATE
    tone: NDArray[np.int16] = (LEVEL * np.sin(2 * np.pi * hertz * times)).astype(np.int16)
    return tone


class ToneRecognizer:
    """An engine of the Speech emulator that recognises these words; it takes *pace* seconds for a second of sound."""

    languages: tuple[str, ...] = ("en-US",)

    def __init__(self, pace: float = 0.0) -> None:
        self._pace = pace

    @asynccontextmanager
    async def listening(self, rate: int, phrases: tuple[str, ...], language: str) -> AsyncIterator["ToneRecognition"]:
        assert rate == RATE
        yield ToneRecognition(self._pace)

    async def close(self) -> None:
        """Do nothing: nothing was started."""


class ToneRecognition:
    """The recognition of one stream of tones."""

    def __init__(self, pace: float) -> None:
        self._phrase = bytearray()
        self._pace = pace

    async def hear(self, pcm: bytes) -> str:
        self._phrase += pcm
        return ""

    async def finish(self) -> RecognitionResult:
        words = recognize(bytes(self._phrase))
        await asyncio.sleep(self._pace * len(self._phrase) / (2 * RATE))
        self._phrase.clear()
        return RecognitionResult(tuple(Word(spoken.text, spoken.start, spoken.end - spoken.start) for spoken in words))
