"""Builds the transcript of one utterance from its phrases."""

import json
from dataclasses import dataclass
from typing import Any

from voice_core.domain.errors import NoSpeech
from voice_core.domain.speech import Interim, TimedPhrase, TimedWord, Transcript, joined

TICKS_PER_MS = 10_000


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Interim text of the phrase in progress."""

    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """A final phrase; one without words has an empty text."""

    text: str
    language: str = ""
    confidence: float | None = None
    ticks: int = 0
    """Duration in units of 100 ns."""
    offset: int = 0
    """Start in units of 100 ns."""
    words: tuple[TimedWord, ...] = ()

    @classmethod
    def read(cls, document: str, text: str) -> "Phrase":
        """Parse the service's JSON *document*; *text* is the SDK's text, used if the document has none.

        The SDK cuts texts to 2048 bytes; the document is complete.
        """
        phrase = json.loads(document) if document else {}
        best: dict[str, Any] = next(iter(phrase.get("NBest") or ()), {})
        return cls(
            text=best.get("Display") or phrase.get("DisplayText") or text,
            language=phrase.get("PrimaryLanguage", {}).get("Language", ""),
            confidence=best.get("Confidence"),
            ticks=phrase.get("Duration", 0),
            offset=phrase.get("Offset", 0),
            words=tuple(map(_word, best.get("Words", ()))),
        )

    def timed(self) -> TimedPhrase:
        """The phrase, timed by its words if they are known: the phrase's own times may include silence."""
        start, end = self.offset // TICKS_PER_MS, (self.offset + self.ticks) // TICKS_PER_MS
        if self.words:
            start, end = self.words[0].start_ms, self.words[-1].end_ms
        return TimedPhrase(self.text, start, end, self.language, self.confidence, self.words)


class TranscriptBuilder:
    """Joins phrases. *language* is that of the utterance unless the service reports another."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._phrases: list[Phrase] = []
        self.duration_ms = 0
        """Duration of the utterance's audio."""

    def interim(self, hypothesis: Hypothesis) -> Interim:
        """All text so far: the final phrases and the one in progress."""
        return Interim(self._joined(hypothesis.text))

    def finish(self, phrase: Phrase) -> None:
        """Add a final phrase."""
        if phrase.text:
            self._phrases.append(phrase)

    def so_far(self) -> Interim:
        """The final phrases."""
        return Interim(self._joined())

    def transcript(self) -> Transcript:
        """The complete transcript.

        Raises:
            NoSpeech: there are no words.
        """
        if not self._phrases:
            raise NoSpeech("Nothing was said.", stage="stt")
        timed = tuple(phrase.timed() for phrase in self._phrases)
        return Transcript(self._joined(), self._spoken_language(), self._confidence(), self.duration_ms, timed)

    def _joined(self, *more: str) -> str:
        return joined([*(phrase.text for phrase in self._phrases), *more], self._spoken_language())

    def _spoken_language(self) -> str:
        """The language of the longest phrase whose language was detected."""
        spoken = max((phrase for phrase in self._phrases if phrase.language), key=lambda p: p.ticks, default=None)
        return spoken.language if spoken else self._language

    def _confidence(self) -> float | None:
        """The mean weighted by duration; a phrase without a duration counts as one tick."""
        rated = [(phrase.confidence, max(1, phrase.ticks)) for phrase in self._phrases if phrase.confidence is not None]
        ticks = sum(weight for _, weight in rated)
        return sum(confidence * weight for confidence, weight in rated) / ticks if rated else None


def _word(document: dict[str, Any]) -> TimedWord:
    start, ticks = document.get("Offset", 0), document.get("Duration", 0)
    return TimedWord(document.get("Word", ""), start // TICKS_PER_MS, (start + ticks) // TICKS_PER_MS)
