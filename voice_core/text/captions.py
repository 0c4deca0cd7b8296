"""Transcripts as plain text and as captions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from voice_core.domain.speech import TimedPhrase, TimedWord, joined
from voice_core.text.alignment import timed

PARAGRAPH_MS = 2_000
"""A pause of at least this length begins a paragraph."""

LINE_CHARACTERS = 80
"""Two lines of 40, as captions have (BBC subtitle guidelines: 37 a line, two lines)."""

LONGEST_CUE_MS = 7_000

LONGEST_WORD = 30
"""Characters; a longer "word" is text in a language without spaces."""


@dataclass(frozen=True, slots=True)
class Cue:
    """A caption: words that are shown together."""

    text: str
    start_ms: int
    end_ms: int


def plain_text(phrases: Sequence[TimedPhrase]) -> str:
    """The text of all *phrases*, in paragraphs."""
    return "\n\n".join(joined((p.text for p in group), group[0].language) for group in _paragraphs(phrases))


def webvtt(phrases: Sequence[TimedPhrase]) -> str:
    """All *phrases* as WebVTT (https://www.w3.org/TR/webvtt1/)."""
    return "\n\n".join(["WEBVTT", *map(_block, cues(phrases))]) + "\n"


def _block(cue: Cue) -> str:
    # A cue must end after it begins.
    until = max(cue.end_ms, cue.start_ms + 1)
    return f"{_clock(cue.start_ms)} --> {_clock(until)}\n{_escaped(cue.text)}"


def cues(phrases: Sequence[TimedPhrase]) -> Iterator[Cue]:
    """*phrases* in pieces short enough to read, cut between words, or between letters in languages without spaces.

    A phrase without words has no caption.
    """
    for phrase in phrases:
        if not phrase.text.strip():
            continue
        if len(phrase.text) <= LINE_CHARACTERS and phrase.end_ms - phrase.start_ms <= LONGEST_CUE_MS:
            yield Cue(phrase.text, phrase.start_ms, phrase.end_ms)
            continue
        words, space = phrase.text.split(), " "
        if max(map(len, words)) > LONGEST_WORD:
            words, space = list(phrase.text), ""
        for line in _lines(timed(words, phrase), space):
            yield Cue(space.join(word.text for word in line).strip(), line[0].start_ms, line[-1].end_ms)


def _lines(words: Sequence[TimedWord], space: str) -> Iterator[Sequence[TimedWord]]:
    line: list[TimedWord] = []
    for word in words:
        width = sum(len(one.text) + len(space) for one in line) + len(word.text)
        if line and (width > LINE_CHARACTERS or word.end_ms - line[0].start_ms > LONGEST_CUE_MS):
            yield line
            line = []
        line.append(word)
    yield line


def _paragraphs(phrases: Sequence[TimedPhrase]) -> Iterator[Sequence[TimedPhrase]]:
    number, numbered = 0, []
    for before, phrase in zip([None, *phrases], phrases, strict=False):
        number += before is not None and phrase.start_ms - before.end_ms >= PARAGRAPH_MS
        numbered.append((number, phrase))
    for _, group in groupby(numbered, key=lambda pair: pair[0]):
        yield [phrase for _, phrase in group]


def _clock(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{ms:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
