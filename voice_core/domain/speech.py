"""What was heard, and how an answer sounds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interim:
    """What recognition believes so far; the next one replaces it."""

    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said, final."""

    text: str
    language: str
    """BCP 47 tag, as recognised or as asked for."""
    confidence: float | None = None
    """0 to 1; None when the recogniser gives none."""
    duration_ms: int = 0


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
