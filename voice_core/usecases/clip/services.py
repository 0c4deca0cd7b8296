"""The services that process clips, and the rules for that."""

from collections.abc import Callable
from dataclasses import dataclass, field

from voice_core.audio.container_decoder import ContainerDecoder
from voice_core.audio.in_process import InProcessDecoder
from voice_core.audio.limits import Limits
from voice_core.ports.clips import Artefacts, Clips, Recordings, Speeches
from voice_core.ports.providers import SpeechToText
from voice_core.usecases.limits.audio_meter import AudioMeter
from voice_core.usecases.resilience.retry import RetryBudget
from voice_core.usecases.turn.services import TurnServices


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRules:
    """Limits of the processing of a clip. All times are in seconds."""

    upload_seconds: float = 900.0
    """Time in which an upload may begin."""
    limits: Limits = field(default_factory=Limits)
    at_once: int = 4
    """Segments of one clip in recognition at the same time."""
    segment_seconds: float = 60.0
    stt_seconds: float = 60.0
    """From the end of a segment's sound to its transcript."""
    tries: int = 3
    """Tries of each call of a provider, within one attempt at the clip."""
    pause_seconds: float = 1.0
    """Pause before the second try; before each further try four times as long."""
    attempts: int = 5
    """Attempts at a clip, by all workers together."""
    claim_seconds: float = 60.0
    """Lifetime of a claim: a worker that has not renewed it by then counts as dead."""
    progress_seconds: float = 2.0
    """Interval between two updates of the progress."""
    long_characters: int = 2000
    """A transcript longer than this is summarised rather than replied to."""
    summary_prompt: str = ""
    """Instructions for the assistant, placed before a long transcript."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipServices:
    """The services that process a clip."""

    clips: Clips
    recordings: Recordings
    artefacts: Artefacts
    speeches: Speeches
    stt: SpeechToText
    """With a longer timeout than a turn's."""
    turn: TurnServices
    """The services that reply."""
    audio_meter: AudioMeter
    containers: Callable[[str], ContainerDecoder] = field(default=lambda _user_id: InProcessDecoder())
    """The decoder of a user's recordings."""
    retries: RetryBudget = field(default_factory=RetryBudget)
    rules: ClipRules = field(default_factory=ClipRules)
