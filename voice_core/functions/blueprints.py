"""The blueprints of all HTTP endpoints."""

from collections.abc import Iterator

import azure.functions as func

from voice_core.functions.clip import clips
from voice_core.functions.conversation import conversations
from voice_core.functions.http.trailers import drop_trailers
from voice_core.functions.openapi import endpoint
from voice_core.functions.service import debug_turns, health, voices
from voice_core.functions.session import sessions
from voice_core.functions.turn import fetched_turns, speech_file, turns
from voice_core.settings import shows_turns


def blueprints() -> Iterator[func.Blueprint]:
    """One blueprint per resource; the one of /debug/turns only on a developer's machine."""
    drop_trailers()
    for resource in (turns, fetched_turns, speech_file, sessions, clips, conversations, voices, health, endpoint):
        yield resource.blueprint
    if shows_turns():
        yield debug_turns.blueprint
