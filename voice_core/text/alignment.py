"""When what is written was said: recognition times the words that it heard, and writes some of them as numbers."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from voice_core.domain.speech import TimedPhrase, TimedWord

Span = tuple[float, float]
"""Milliseconds, from and to."""


def timed(pieces: Sequence[str], phrase: TimedPhrase) -> list[TimedWord]:
    """*pieces* of the phrase's text at the times at which they were said.

    A letter that is written as it was said has the time of its word; those between two such share the time between.
    """
    letters = [_letters(piece) for piece in pieces]
    spans = iter(_spans("".join(letters), phrase))
    words, until = [], float(phrase.start_ms)
    for piece, own in zip(pieces, letters, strict=True):
        said = [next(spans) for _ in own] or [(until, until)]
        until = said[-1][1]
        words.append(TimedWord(piece, round(said[0][0]), round(until)))
    return words


def _spans(written: str, phrase: TimedPhrase) -> list[Span]:
    """When each letter that is written was said."""
    heard = [letter for word in phrase.words for letter in _said(word)]
    blocks = SequenceMatcher(None, written, "".join(letter for letter, _ in heard), autojunk=False)
    spans: list[Span] = []
    until = float(phrase.start_ms)
    for at, there, length in blocks.get_matching_blocks():
        known = [span for _, span in heard[there : there + length]]
        begins = known[0][0] if known else max(until, float(phrase.end_ms))
        spans += _shared(until, begins, at - len(spans))
        spans += known
        until = spans[-1][1] if spans else until
    return spans


def _said(word: TimedWord) -> Iterator[tuple[str, Span]]:
    letters = _letters(word.text)
    return zip(letters, _shared(word.start_ms, word.end_ms, len(letters)), strict=True)


def _shared(start: float, end: float, count: int) -> list[Span]:
    step = (end - start) / count if count else 0.0
    return [(start + step * number, start + step * (number + 1)) for number in range(count)]


def _letters(text: str) -> str:
    """What of a text can be heard."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())
