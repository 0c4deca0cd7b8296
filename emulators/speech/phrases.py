"""The documents that carry what was heard."""

import math
from typing import Any

from emulators.speech.engines import Heard, Word
from emulators.speech.pauses import Pauses
from emulators.speech.requests import RecognitionRequest

TICKS_PER_SECOND = 10_000_000
TICKS_PER_MILLISECOND = 10_000


def ticks(seconds: float) -> int:
    """Seconds in the service's units of 100 ns."""
    return round(seconds * TICKS_PER_SECOND)


def hypothesis(text: str, pauses: Pauses, language: str | None) -> dict[str, Any]:
    """An interim of the phrase so far."""
    return {"Text": text, **_span(pauses), **_primary(language)}


def edge(pauses: Pauses) -> dict[str, int]:
    """Where speech begins or ends: here."""
    return {"Offset": ticks(pauses.position)}


def phrase(heard: Heard, pauses: Pauses, request: RecognitionRequest, language: str | None) -> dict[str, Any]:
    """A phrase that is final."""
    document: dict[str, Any] = {"RecognitionStatus": _status(heard, pauses), **_span(pauses), **_primary(language)}
    if not heard.words:
        return document
    document["DisplayText"] = display(heard)
    if request.detailed:
        document["NBest"] = [_detail(heard, ticks(pauses.phrase_start), word_timings=request.word_timings)]
    return document


def end_of_speech(pauses: Pauses) -> dict[str, Any]:
    """Nothing more was said after the last phrase: all there is to tell is how much sound came."""
    return {"RecognitionStatus": "EndOfDictation", **_span(pauses)}


def display(heard: Heard) -> str:
    """What was heard as it is written: a capital, and a full stop."""
    if heard.display is not None:
        return heard.display
    text = " ".join("I" + word[1:] if word == "i" or word.startswith("i'") else word for word in heard.lexical.split())
    return text[:1].upper() + text[1:] + "."


def _status(heard: Heard, pauses: Pauses) -> str:
    if heard.words:
        return "Success"
    return "NoMatch" if pauses.speech else "InitialSilenceTimeout"


def _span(pauses: Pauses) -> dict[str, int]:
    """Offset and Duration in ticks, reaching to the end of the audio received, rounded up to a millisecond.

    The SDK takes Offset + Duration of the last phrase for the audio that was consumed, and sends again what is beyond.
    """
    offset = ticks(pauses.phrase_start)
    end = math.ceil(ticks(pauses.position) / TICKS_PER_MILLISECOND) * TICKS_PER_MILLISECOND
    return {"Offset": offset, "Duration": end - offset}


def _primary(language: str | None) -> dict[str, Any]:
    return {"PrimaryLanguage": {"Language": language, "Confidence": "High"}} if language else {}


def _detail(heard: Heard, offset: int, *, word_timings: bool) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "Confidence": round(heard.confidence, 4),
        "Lexical": heard.lexical,
        "ITN": heard.lexical,
        "MaskedITN": heard.lexical,
        "Display": display(heard),
    }
    if word_timings:
        detail["Words"] = [_word(word, offset) for word in heard.words]
    return detail


def _word(word: Word, offset: int) -> dict[str, Any]:
    return {
        "Word": word.text,
        "Offset": offset + ticks(word.start),
        "Duration": ticks(word.seconds),
        "Confidence": round(word.confidence, 4),
    }
