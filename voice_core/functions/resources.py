"""What there is to ask for."""

from collections.abc import Iterator

import azure.functions as func

from voice_core.functions import (
    clips,
    conversations,
    debug_turns,
    health,
    openapi,
    sessions,
    turn_speech,
    turns,
    voices,
)
from voice_core.settings import shows_turns


def blueprints() -> Iterator[func.Blueprint]:
    """One a resource; that of the last turns on a developer's machine only."""
    for resource in (turns, turn_speech, sessions, clips, conversations, voices, health, openapi):
        yield resource.blueprint
    if shows_turns():
        yield debug_turns.blueprint
