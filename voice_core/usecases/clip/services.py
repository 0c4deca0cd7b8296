"""Who works on clips, and by which rules."""

from dataclasses import dataclass, field

from voice_core.audio.limits import Limits
from voice_core.ports.clips import Artefacts, Clips, Recordings, Speeches
from voice_core.ports.providers import SpeechToText
from voice_core.usecases.limits.audio_meter import AudioMeter
from voice_core.usecases.limits.rate_limiter import RateLimiter
from voice_core.usecases.resilience.retry import RetryBudget
from voice_core.usecases.turn.services import TurnServices


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRules:
    """How a clip is worked on. All times are in seconds."""

    upload_seconds: float = 900.0
    """How long an upload may begin."""
    limits: Limits = field(default_factory=Limits)
    at_once: int = 4
    """Segments in recognition."""
    segment_seconds: float = 60.0
    stt_seconds: float = 60.0
    """From the end of a segment's sound to its transcript."""
    tries: int = 3
    """At each call of a provider, within one attempt at the job."""
    pause_seconds: float = 1.0
    """Before the second try; before each further one four times as long."""
    attempts: int = 5
    """At the job, by any worker."""
    claim_seconds: float = 60.0
    """After which a worker that was not heard of counts as dead."""
    progress_seconds: float = 2.0
    """Between two notes of how far it is."""
    long_characters: int = 2000
    """Of a transcript that is summarised rather than answered."""
    summary_prompt: str = ""
    """What the assistant is told before a long transcript."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipServices:
    """Who works on a clip."""

    clips: Clips
    recordings: Recordings
    artefacts: Artefacts
    speeches: Speeches
    stt: SpeechToText
    """With more patience than a turn's."""
    turn: TurnServices
    """Who answers."""
    rate_limiter: RateLimiter
    audio_meter: AudioMeter
    retries: RetryBudget = field(default_factory=RetryBudget)
    rules: ClipRules = field(default_factory=ClipRules)
