"""The options of a recognition turn, from its ``speech.context`` or, on older paths, from the query."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT_LANGUAGE = "en-US"
INITIAL_SILENCE_SECONDS = {"INTERACTIVE": 5.0, "CONVERSATION": 15.0, "DICTATION": 15.0}
PAUSE_SECONDS = 0.65
"""Silence that ends a phrase, unless the client sets another."""


@dataclass(frozen=True, slots=True)
class RecognitionRequest:
    """The options of one recognition turn."""

    mode: str
    """INTERACTIVE (one phrase), CONVERSATION or DICTATION."""
    languages: tuple[str, ...]
    """Candidate languages; more than one when the client requests language identification."""
    identify: bool
    phrases: tuple[str, ...]
    detailed: bool
    word_timings: bool
    initial_silence_seconds: float
    pause_seconds: float

    @classmethod
    def read(cls, context: Mapping[str, Any], query: Mapping[str, str], path: str) -> "RecognitionRequest":
        """Read the ``speech.context`` document, and the query and the path of the socket's URL."""
        detection = context.get("phraseDetection", {})
        output = context.get("phraseOutput", {})
        options = output.get("detailed", {}).get("options", [])
        mode = detection.get("mode") or _mode(path)
        candidates = tuple(context.get("languageId", {}).get("languages", ()))
        language = detection.get("language") or query.get("language", DEFAULT_LANGUAGE)
        initial = detection.get("initialSilenceTimeout") or query.get("initialSilenceTimeoutMs")
        return cls(
            mode=mode,
            languages=candidates or (language,),
            identify=bool(candidates),
            phrases=_phrases(context),
            detailed="detailed" in (output.get("format", "").lower(), query.get("format")),
            word_timings="WordTimings" in options or query.get("wordLevelTimestamps") == "true",
            initial_silence_seconds=float(initial) / 1000 if initial else INITIAL_SILENCE_SECONDS.get(mode, 5.0),
            pause_seconds=_pause_seconds(detection.get(mode, {}), query),
        )


def _mode(path: str) -> str:
    words = path.upper().split("/")
    return next((mode for mode in INITIAL_SILENCE_SECONDS if mode in words), "CONVERSATION")


def _phrases(context: Mapping[str, Any]) -> tuple[str, ...]:
    groups = context.get("dgi", {}).get("Groups", [])
    return tuple(item["Text"] for group in groups for item in group.get("Items", []))


def _pause_seconds(detection: Mapping[str, Any], query: Mapping[str, str]) -> float:
    milliseconds = detection.get("segmentation", {}).get("segmentationSilenceTimeoutMs") or query.get(
        "endSilenceTimeoutMs"
    )
    return float(milliseconds) / 1000 if milliseconds else PAUSE_SECONDS
