"""A turn as JSON members."""

from typing import Any

from voice_core.domain.conversation import Turn


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
    }
