"""What was said in a clip, as it is kept: whole, and segment by segment."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from voice_core.domain.speech import TimedPhrase, TimedWord
from voice_core.text.captions import plain_text, webvtt

WHOLE = "transcript.json"
"""The artefact that the others can be made of again."""


def written(phrases: Iterable[TimedPhrase]) -> bytes:
    """A segment's phrases."""
    return json.dumps({"phrases": [_phrase_document(phrase) for phrase in phrases]}, ensure_ascii=False).encode()


def read(data: bytes) -> list[TimedPhrase]:
    """The phrases in what `written` or `artefacts` wrote."""
    return [_phrase(document) for document in json.loads(data)["phrases"]]


def artefacts(clip_id: str, phrases: Sequence[TimedPhrase], duration_ms: int) -> dict[str, bytes]:
    """The transcript in each of its forms, by name; the whole comes last."""
    text = plain_text(phrases)
    whole = {
        "clipId": clip_id,
        "durationMs": duration_ms,
        "language": spoken_language(phrases),
        "text": text,
        "phrases": [_phrase_document(phrase) for phrase in phrases],
    }
    return {
        "transcript.txt": f"{text}\n".encode(),
        "transcript.vtt": webvtt(phrases).encode(),
        WHOLE: json.dumps(whole, ensure_ascii=False, indent=1).encode(),
    }


def spoken_language(phrases: Iterable[TimedPhrase]) -> str:
    """That of most of the time."""
    spoken: dict[str, int] = {}
    for phrase in phrases:
        spoken[phrase.language] = spoken.get(phrase.language, 0) + phrase.end_ms - phrase.start_ms
    return max(spoken, key=lambda language: spoken[language], default="")


def moved(phrase: TimedPhrase, ms: int, language: str) -> TimedPhrase:
    """*phrase* of a segment that begins at *ms*, in the time of the whole; in *language* unless it says otherwise."""
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
