"""The files of a clip's transcript: the complete one in three formats, and one for each segment."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from voice_core.domain.speech import TimedPhrase, TimedWord
from voice_core.text.captions import plain_text, webvtt

TRANSCRIPT = "transcript.json"
"""The artefact from which the other ones can be created again."""


def dump_phrases(phrases: Iterable[TimedPhrase]) -> bytes:
    """The file of a segment: its phrases as JSON."""
    return json.dumps({"phrases": [_phrase_document(phrase) for phrase in phrases]}, ensure_ascii=False).encode()


def parse_phrases(data: bytes) -> list[TimedPhrase]:
    """The phrases in a file that `dump_phrases` or `artefacts` wrote."""
    return [_phrase(document) for document in json.loads(data)["phrases"]]


def artefacts(clip_id: str, phrases: Sequence[TimedPhrase], duration_ms: int) -> dict[str, bytes]:
    """The complete transcript in each format, by file name; `TRANSCRIPT` comes last."""
    text = plain_text(phrases)
    document = {
        "clipId": clip_id,
        "durationMs": duration_ms,
        "language": spoken_language(phrases),
        "text": text,
        "phrases": [_phrase_document(phrase) for phrase in phrases],
    }
    return {
        "transcript.txt": f"{text}\n".encode(),
        "transcript.vtt": webvtt(phrases).encode(),
        TRANSCRIPT: json.dumps(document, ensure_ascii=False, indent=1).encode(),
    }


def spoken_language(phrases: Iterable[TimedPhrase]) -> str:
    """The language that is spoken for most of the time; empty when there are no phrases."""
    spoken: dict[str, int] = {}
    for phrase in phrases:
        spoken[phrase.language] = spoken.get(phrase.language, 0) + phrase.end_ms - phrase.start_ms
    return max(spoken, key=lambda language: spoken[language], default="")


def shifted(phrase: TimedPhrase, ms: int, language: str) -> TimedPhrase:
    """*phrase* of a segment that begins at *ms*, with the times of the recording; in *language* unless it has one."""
    words = tuple(TimedWord(word.text, word.start_ms + ms, word.end_ms + ms) for word in phrase.words)
    spoken = phrase.language or language
    return TimedPhrase(phrase.text, phrase.start_ms + ms, phrase.end_ms + ms, spoken, phrase.confidence, words)


def _phrase_document(phrase: TimedPhrase) -> dict[str, Any]:
    document: dict[str, Any] = {"text": phrase.text, "startMs": phrase.start_ms, "endMs": phrase.end_ms}
    if phrase.language:
        document["language"] = phrase.language
    if phrase.confidence is not None:
        document["confidence"] = round(phrase.confidence, 4)
    if phrase.words:
        document["words"] = [{"text": w.text, "startMs": w.start_ms, "endMs": w.end_ms} for w in phrase.words]
    return document


def _phrase(document: dict[str, Any]) -> TimedPhrase:
    words = tuple(TimedWord(word["text"], word["startMs"], word["endMs"]) for word in document.get("words", ()))
    confidence = document.get("confidence")
    language = document.get("language", "")
    return TimedPhrase(document["text"], document["startMs"], document["endMs"], language, confidence, words)
