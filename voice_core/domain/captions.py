"""What was said, as text to read and as captions to show."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from voice_core.domain.speech import TimedPhrase, TimedWord, joined

PARAGRAPH_MS = 2_000
"""A pause that long begins a paragraph."""

LINE_CHARACTERS = 80
"""Two lines of 40, as captions have (BBC subtitle guidelines: 37 a line, two lines)."""

LONGEST_CUE_MS = 7_000


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that are shown together."""

    text: str
    start_ms: int
    end_ms: int


def plain_text(phrases: Sequence[TimedPhrase]) -> str:
    """All of it, in paragraphs."""
    return "\n\n".join(joined((p.text for p in group), group[0].language) for group in _paragraphs(phrases))


def webvtt(phrases: Sequence[TimedPhrase]) -> str:
    """All of it as WebVTT (https://www.w3.org/TR/webvtt1/)."""
    blocks = [f"{_clock(cue.start_ms)} --> {_clock(cue.end_ms)}\n{_escaped(cue.text)}" for cue in cues(phrases)]
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


def cues(phrases: Sequence[TimedPhrase]) -> Iterator[Cue]:
    """*phrases* in pieces short enough to read, cut between words whose times are known."""
    for phrase in phrases:
        words = _written_words(phrase)
        short = len(phrase.text) <= LINE_CHARACTERS and phrase.end_ms - phrase.start_ms <= LONGEST_CUE_MS
        if short or not words:
            yield Cue(phrase.text, phrase.start_ms, phrase.end_ms)
        else:
            yield from map(_cue, _lines(words))


def _written_words(phrase: TimedPhrase) -> Sequence[TimedWord]:
    """The words as they are written with the times they were said at; none when the two cannot be told together."""
    written = phrase.text.split()
    if len(written) != len(phrase.words):
        return ()
    return [TimedWord(text, said.start_ms, said.end_ms) for text, said in zip(written, phrase.words, strict=True)]


def _lines(words: Sequence[TimedWord]) -> Iterator[Sequence[TimedWord]]:
    line: list[TimedWord] = []
    for word in words:
        width = sum(len(said.text) + 1 for said in line) + len(word.text)
        if line and (width > LINE_CHARACTERS or word.end_ms - line[0].start_ms > LONGEST_CUE_MS):
            yield line
            line = []
        line.append(word)
    yield line


def _cue(words: Sequence[TimedWord]) -> Cue:
    return Cue(" ".join(word.text for word in words), words[0].start_ms, words[-1].end_ms)


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
