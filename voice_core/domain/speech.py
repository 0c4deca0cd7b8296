"""What was heard, and how an answer sounds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

UNSPACED = frozenset({"ja", "km", "lo", "my", "th", "wuu", "yue", "zh"})
"""Languages written without spaces, so that phrases join without one."""


def joined(texts: Iterable[str], language: str) -> str:
    """Phrases one after the other, as *language* (BCP 47) writes them; empty ones count for nothing."""
    space = "" if language.partition("-")[0].lower() in UNSPACED else " "
    return space.join(filter(None, texts))


@dataclass(frozen=True, slots=True)
class Interim:
    """What recognition believes so far; the next one replaces it."""

    text: str


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word as it was said, without marks, and when."""

    text: str
    start_ms: int
    """From the start of the sound."""
    end_ms: int


@dataclass(frozen=True, slots=True)
class TimedPhrase:
    """Some words between two pauses, as they are written, and when they were said."""

    text: str
    start_ms: int
    """From the start of the sound."""
    end_ms: int
    language: str = ""
    confidence: float | None = None
    words: tuple[TimedWord, ...] = ()
    """Each of them, when the recogniser tells."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said, final."""

    text: str
    language: str
    """BCP 47 tag, as recognised or as asked for."""
    confidence: float | None = None
    """0 to 1; None when the recogniser gives none."""
    duration_ms: int = 0
    phrases: tuple[TimedPhrase, ...] = ()
    """The same words again, with their times."""


@dataclass(frozen=True, slots=True)
class Hints:
    """What the caller knows about an utterance before it is heard."""

    languages: tuple[str, ...] = ()
    """BCP 47 tags: one is spoken, several are candidates to detect among; none means the default."""
    phrases: tuple[str, ...] = ()
    """Words likely to be said: names, titles, jargon."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One way the assistant can sound."""

    name: str
    """The name to ask for, as in ``en-US-AvaMultilingualNeural``."""
    language: str
    gender: str = ""
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class SpeechName:
    """Whose reply is kept as speech, and of which turn."""

    user_id: str
    conversation_id: str
    turn_id: str


@dataclass(frozen=True, slots=True)
class StoredSpeech:
    """The speech of a reply as far as it has been made: mono 16-bit PCM at 24 kHz."""

    name: SpeechName
    pcm_bytes: int
    complete: bool
    made_at: datetime
    """UTC, of the latest of it."""
