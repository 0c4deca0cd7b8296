"""The documents of recognition results."""

import math
from typing import Any

from emulators.speech.engines import RecognitionResult, Word
from emulators.speech.pauses import Pauses
from emulators.speech.requests import RecognitionRequest

TICKS_PER_SECOND = 10_000_000
TICKS_PER_MILLISECOND = 10_000


def ticks(seconds: float) -> int:
    """Seconds in the service's units of 100 ns."""
    return round(seconds * TICKS_PER_SECOND)


def hypothesis(text: str, pauses: Pauses, language: str | None) -> dict[str, Any]:
    """An interim result of the phrase so far."""
    return {"Text": text, **_span(pauses), **_primary(language)}


def edge(pauses: Pauses) -> dict[str, int]:
    """The event that speech begins or ends at the current position."""
    return {"Offset": ticks(pauses.position)}


def phrase(
    result: RecognitionResult, pauses: Pauses, request: RecognitionRequest, language: str | None
) -> dict[str, Any]:
    """The final result of a phrase."""
    document: dict[str, Any] = {"RecognitionStatus": _status(result, pauses), **_span(pauses), **_primary(language)}
    if not result.words:
        return document
    document["DisplayText"] = display(result)
    if request.detailed:
        document["NBest"] = [_detail(result, ticks(pauses.phrase_start), word_timings=request.word_timings)]
    return document


def end_of_speech(pauses: Pauses) -> dict[str, Any]:
    """The result after the last phrase when no speech followed: it covers the rest of the audio."""
    return {"RecognitionStatus": "EndOfDictation", **_span(pauses)}


def display(result: RecognitionResult) -> str:
    """The phrase as written text, with a capital and a full stop unless the engine provides it."""
    if result.display is not None:
        return result.display
    text = " ".join("I" + word[1:] if word == "i" or word.startswith("i'") else word for word in result.lexical.split())
    return text[:1].upper() + text[1:] + "."


def _status(result: RecognitionResult, pauses: Pauses) -> str:
    if result.words:
        return "Success"
    return "NoMatch" if pauses.speech else "InitialSilenceTimeout"


def _span(pauses: Pauses) -> dict[str, int]:
    """Offset and Duration in ticks up to the end of the audio received, rounded up to a millisecond.

    The SDK takes Offset + Duration of the last phrase as the end of the consumed audio, and sends the rest again.
    """
    offset = ticks(pauses.phrase_start)
    end = math.ceil(ticks(pauses.position) / TICKS_PER_MILLISECOND) * TICKS_PER_MILLISECOND
    return {"Offset": offset, "Duration": end - offset}


def _primary(language: str | None) -> dict[str, Any]:
    return {"PrimaryLanguage": {"Language": language, "Confidence": "High"}} if language else {}


def _detail(result: RecognitionResult, offset: int, *, word_timings: bool) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "Confidence": round(result.confidence, 4),
        "Lexical": result.lexical,
        "ITN": result.lexical,
        "MaskedITN": result.lexical,
        "Display": display(result),
    }
    if word_timings:
        detail["Words"] = [_word(word, offset) for word in result.words]
    return detail


def _word(word: Word, offset: int) -> dict[str, Any]:
    return {
        "Word": word.text,
        "Offset": offset + ticks(word.start),
        "Duration": ticks(word.seconds),
        "Confidence": round(word.confidence, 4),
    }
