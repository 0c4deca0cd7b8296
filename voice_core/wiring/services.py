"""The services of a turn, each behind its guard."""

from voice_core.usecases.resilience.deadlines import Deadlines
from voice_core.usecases.turn.services import CHARACTERS_PER_TOKEN, TurnServices
from voice_core.wiring.adapters import Adapters
from voice_core.wiring.resilience import Guards


def turn_services(first: Adapters, second: Adapters, guards: Guards) -> TurnServices:
    """The services of *first*, with fallback to those of *second* that have an endpoint in its settings."""
    settings = first.settings
    speech, openai = second.settings.speech_endpoint, second.settings.openai_endpoint
    return TurnServices(
        stt=guards.stt(first.stt, second.stt if speech else None),
        assistant=guards.assistant(first.assistant, second.assistant if openai else None),
        tts=guards.tts(first.tts, second.tts if speech else None),
        conversations=guards.store(first.conversations, "conversations", settings.conversations_seconds),
        deadlines=Deadlines(
            stt=settings.stt_seconds,
            assistant=settings.assistant_seconds,
            tts=settings.tts_seconds,
            conversations=settings.conversations_seconds,
        ),
        history_turns=settings.history_turns,
        reply_characters=settings.max_reply_tokens * CHARACTERS_PER_TOKEN,
    )
