"""What is heard of one utterance, phrase after phrase."""

import json
from dataclasses import dataclass
from typing import Any

from voice_core.domain.errors import NoSpeech
from voice_core.domain.speech import Interim, TimedPhrase, TimedWord, Transcript, joined

TICKS_PER_MS = 10_000


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What the phrase under way sounds like so far."""

    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase that is final; one without words has an empty text."""

    text: str
    language: str = ""
    confidence: float | None = None
    ticks: int = 0
    """Duration in units of 100 ns."""
    offset: int = 0
    """Of its beginning, likewise."""
    words: tuple[TimedWord, ...] = ()

    @classmethod
    def read(cls, document: str, text: str) -> "Phrase":
        """From the service's JSON *document*; *text* is what the SDK made of it.

        The SDK cuts texts to 2048 bytes; the document is whole.
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
        """With the times of its words, as far as they are known: the phrase's own may include silence."""
        start, end = self.offset // TICKS_PER_MS, (self.offset + self.ticks) // TICKS_PER_MS
        if self.words:
            start, end = self.words[0].start_ms, self.words[-1].end_ms
        return TimedPhrase(self.text, start, end, self.language, self.confidence, self.words)


class TranscriptBuilder:
    """Puts phrases together. *language* is what the utterance is in unless the service says otherwise."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._phrases: list[Phrase] = []
        self.duration_ms = 0
        """Of the sound."""

    def interim(self, hypothesis: Hypothesis) -> Interim:
        """The whole text so far: the finished phrases and the one under way."""
        return Interim(self._joined(hypothesis.text))

    def finish(self, phrase: Phrase) -> None:
        """Take a phrase that is final."""
        if phrase.text:
            self._phrases.append(phrase)

    def so_far(self) -> Interim:
        """The finished phrases."""
        return Interim(self._joined())

    def transcript(self) -> Transcript:
        """All that was heard.

        Raises:
            NoSpeech: no words.
        """
        if not self._phrases:
            raise NoSpeech("Nothing was said.", stage="stt")
        timed = tuple(phrase.timed() for phrase in self._phrases)
        return Transcript(self._joined(), self._spoken_language(), self._confidence(), self.duration_ms, timed)

    def _joined(self, *more: str) -> str:
        return joined([*(phrase.text for phrase in self._phrases), *more], self._spoken_language())

    def _spoken_language(self) -> str:
        """That of the longest phrase whose language was recognised."""
        spoken = max((phrase for phrase in self._phrases if phrase.language), key=lambda p: p.ticks, default=None)
        return spoken.language if spoken else self._language

    def _confidence(self) -> float | None:
        """The mean over time; a phrase without a length counts for a tick."""
        rated = [(phrase.confidence, max(1, phrase.ticks)) for phrase in self._phrases if phrase.confidence is not None]
        ticks = sum(weight for _, weight in rated)
        return sum(confidence * weight for confidence, weight in rated) / ticks if rated else None


def _word(document: dict[str, Any]) -> TimedWord:
    start, ticks = document.get("Offset", 0), document.get("Duration", 0)
    return TimedWord(document.get("Word", ""), start // TICKS_PER_MS, (start + ticks) // TICKS_PER_MS)
