"""The providers and stores that a turn needs."""

from dataclasses import dataclass, field

from voice_core.ports.conversations import Conversations
from voice_core.ports.providers import Assistant, SpeechToText, TextToSpeech
from voice_core.usecases.resilience.deadlines import Deadlines

CHARACTERS_PER_TOKEN = 16
"""More than a token has on average in any language; a model that keeps its limit of tokens stays below it."""


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
    reply_characters: int = 300 * CHARACTERS_PER_TOKEN
    """Length at which a reply ends, as it does at the model's own limit of tokens."""
