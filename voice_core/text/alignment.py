"""Times of written words. Recognition times the spoken words, but writes some of them in another way, as numbers."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from voice_core.domain.speech import TimedPhrase, TimedWord

Span = tuple[float, float]
"""Start and end, milliseconds."""


def timed(pieces: Sequence[str], phrase: TimedPhrase) -> list[TimedWord]:
    """*pieces* of the phrase's text, with the times at which they were spoken.

    A letter that is written as it was spoken has the time of its word; letters between two such share the time between.
    """
    letters = [_letters(piece) for piece in pieces]
    spans = iter(_spans("".join(letters), phrase))
    words, until = [], float(phrase.start_ms)
    for piece, own in zip(pieces, letters, strict=True):
        times = [next(spans) for _ in own] or [(until, until)]
        until = times[-1][1]
        words.append(TimedWord(piece, round(times[0][0]), round(until)))
    return words


def _spans(written: str, phrase: TimedPhrase) -> list[Span]:
    """The time of each written letter."""
    heard = [letter for word in phrase.words for letter in _letter_times(word)]
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


def _letter_times(word: TimedWord) -> Iterator[tuple[str, Span]]:
    letters = _letters(word.text)
    return zip(letters, _shared(word.start_ms, word.end_ms, len(letters)), strict=True)


def _shared(start: float, end: float, count: int) -> list[Span]:
    step = (end - start) / count if count else 0.0
    return [(start + step * number, start + step * (number + 1)) for number in range(count)]


def _letters(text: str) -> str:
    """The letters and digits of *text*, which are the part that is spoken."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())
