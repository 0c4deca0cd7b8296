"""What is heard of one utterance, phrase after phrase."""

import json
from dataclasses import dataclass
from typing import Any

from voice_core.domain.errors import NoSpeech
from voice_core.domain.speech import Interim, Transcript

UNSPACED = frozenset({"ja", "km", "lo", "my", "th", "wuu", "yue", "zh"})
"""Languages written without spaces, so that phrases join without one."""


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
        )


class Hearing:
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

    def transcript(self) -> Transcript:
        """All that was heard.

        Raises:
            NoSpeech: no words.
        """
        if not self._phrases:
            raise NoSpeech("Nothing was said.", stage="stt")
        return Transcript(self._joined(), self._spoken_language(), self._confidence(), self.duration_ms)

    def _joined(self, *more: str) -> str:
        space = "" if self._spoken_language().partition("-")[0].lower() in UNSPACED else " "
        return space.join([*(phrase.text for phrase in self._phrases), *filter(None, more)])

    def _spoken_language(self) -> str:
        """That of the longest phrase whose language was recognised."""
        spoken = max((phrase for phrase in self._phrases if phrase.language), key=lambda p: p.ticks, default=None)
        return spoken.language if spoken else self._language

    def _confidence(self) -> float | None:
        """The mean over time; a phrase without a length counts for a tick."""
        rated = [(phrase.confidence, max(1, phrase.ticks)) for phrase in self._phrases if phrase.confidence is not None]
        ticks = sum(weight for _, weight in rated)
        return sum(confidence * weight for confidence, weight in rated) / ticks if rated else None
