"""The providers and stores that a turn needs."""

from dataclasses import dataclass, field

from voice_core.ports.conversations import Conversations
from voice_core.ports.providers import Assistant, SpeechToText, TextToSpeech
from voice_core.usecases.resilience.deadlines import Deadlines


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnServices:
    """The providers, the conversation store and the deadlines of a turn."""

    stt: SpeechToText
    assistant: Assistant
    tts: TextToSpeech
    conversations: Conversations
    deadlines: Deadlines = field(default_factory=Deadlines)
    history_turns: int = 20
    """How many of the conversation's last turns are sent to the assistant."""
