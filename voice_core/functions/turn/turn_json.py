"""JSON members of a turn."""

from typing import Any

from voice_core.domain.conversation import Turn
from voice_core.domain.speech import SpeechName
from voice_core.functions.http.base_path import BASE


def speech_url(name: SpeechName) -> str:
    """The URL of a turn's speech file."""
    return f"{BASE}/conversations/{name.conversation_id}/turns/{name.turn_id}/speech"


def turn_members(turn: Turn) -> dict[str, Any]:
    """The members of a TurnAnswer, by their Python names."""
    return {
        "turn_id": turn.id,
        "conversation_id": turn.conversation_id,
        "transcription": turn.transcript,
        "response_text": turn.reply,
        "language": turn.language,
        "interrupted": turn.interrupted,
        "degraded": list(turn.degraded),
        "timings": turn.timings,
        "clip_id": turn.clip_id or None,
    }
