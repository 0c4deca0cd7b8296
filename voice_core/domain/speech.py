"""Transcripts of utterances, and the speech of replies."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

UNSPACED = frozenset({"ja", "km", "lo", "my", "th", "wuu", "yue", "zh"})
"""Languages written without spaces, so that phrases join without one."""


def joined(texts: Iterable[str], language: str) -> str:
    """Phrases joined as *language* (BCP 47) writes them; empty ones are left out."""
    space = "" if language.partition("-")[0].lower() in UNSPACED else " "
    return space.join(filter(None, texts))


@dataclass(frozen=True, slots=True)
class Interim:
    """An interim transcript; the next one replaces it."""

    text: str


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word as it was spoken, without punctuation, and its time."""

    text: str
    start_ms: int
    """From the start of the sound."""
    end_ms: int


@dataclass(frozen=True, slots=True)
class TimedPhrase:
    """Words between two pauses, as they are written, and their time."""

    text: str
    start_ms: int
    """From the start of the sound."""
    end_ms: int
    language: str = ""
    confidence: float | None = None
    words: tuple[TimedWord, ...] = ()
    """Each word, if the recogniser reports them."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """The final transcript of an utterance."""

    text: str
    language: str
    """BCP 47 tag, as recognised or as requested."""
    confidence: float | None = None
    """0 to 1; None when the recogniser gives none."""
    duration_ms: int = 0
    phrases: tuple[TimedPhrase, ...] = ()
    """The same words, with their times."""


@dataclass(frozen=True, slots=True)
class Hints:
    """Hints of the caller about an utterance, before it is recognised."""

    languages: tuple[str, ...] = ()
    """BCP 47 tags: one is the language, several are candidates for detection; none means the default."""
    phrases: tuple[str, ...] = ()
    """Words likely to be said: names, titles, jargon."""


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice of the assistant."""

    name: str
    """The name by which it is requested, such as ``en-US-AvaMultilingualNeural``."""
    language: str
    gender: str = ""
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class SpeechName:
    """The user, conversation and turn whose reply is stored as speech."""

    user_id: str
    conversation_id: str
    turn_id: str


@dataclass(frozen=True, slots=True)
class StoredSpeech:
    """The stored speech of a reply, complete or so far: mono 16-bit PCM at 24 kHz."""

    name: SpeechName
    pcm_bytes: int
    complete: bool
    made_at: datetime
    """When the last of it was synthesized, UTC."""
