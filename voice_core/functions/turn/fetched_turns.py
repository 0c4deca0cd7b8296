"""/conversations/{id}/turns/{id}: a turn by its name, while it runs and after."""

from typing import TYPE_CHECKING

import azure.functions as func
from starlette.responses import Response

from voice_core import wiring
from voice_core.domain.conversation import Turn
from voice_core.domain.events import TurnCreated
from voice_core.domain.speech import SpeechName
from voice_core.functions.http.identity import user_id
from voice_core.functions.http.json_response import json_response
from voice_core.functions.http.negotiation import negotiate
from voice_core.functions.http.rate_limit import enforce_limit, limited_stream
from voice_core.functions.http.request import HttpRequest
from voice_core.functions.http.request_model import parsed
from voice_core.functions.http.serve import served
from voice_core.functions.http.streamed_response import StreamedResponse
from voice_core.functions.turn.events import framed
from voice_core.functions.turn.responses import EVENT_FRAMES, received, rejoined, turn_headers
from voice_core.functions.turn.schemas import FetchedTurn, SpeechPath, TurnQuery
from voice_core.functions.turn.turn_json import turn_members

if TYPE_CHECKING:
    from voice_core.usecases.idempotency.fetch_turn import FoundTurn

RETRY_SECONDS = 1
"""When to look again at a turn that runs."""

blueprint = func.Blueprint()


@blueprint.route("voice/conversations/{conversationId}/turns/{turnId}", methods=["GET"])
@served
async def get_turn(request: HttpRequest) -> Response:
    """The turn: as JSON what there is of it now, or its events from any point to its end."""
    media_type = negotiate(request.headers.get("accept", ""), ("application/json", *EVENT_FRAMES))
    path, query = parsed(SpeechPath, dict(request.path)), parsed(TurnQuery, dict(request.query))
    name = SpeechName(user_id(request), path.conversation_id, path.turn_id)
    app = await wiring.ready()
    if media_type == "application/json":
        found = await app.keyed_turns.find(name)
        if isinstance(found, Turn):
            body = FetchedTurn(**turn_members(found), state="interrupted" if found.interrupted else "done")
            return json_response(body.document(), headers=turn_headers(found.id, found.conversation_id, found.timings))
        headers = turn_headers(name.turn_id, name.conversation_id, {}) | {"Retry-After": str(RETRY_SECONDS)}
        return json_response(_unfinished(name, found).document(), headers=headers)
    slot = app.user_limits.event_streams.acquire(name.user_id)
    position = received(request, media_type)
    events = app.keyed_turns.events(
        name, position, query.voice, aloud=query.speech != "none", admit=lambda: enforce_limit(request, "turns")
    )
    first = await request.unless_gone(anext(events))
    if not isinstance(first, TurnCreated):
        raise TypeError(first)
    frame = EVENT_FRAMES[media_type]
    chunks = framed(rejoined([first], events), frame, query.response_format, app.encoder, None, position)
    headers = turn_headers(name.turn_id, name.conversation_id, {})
    return StreamedResponse(request, limited_stream(slot, chunks), media_type, headers)


def _unfinished(name: SpeechName, found: "FoundTurn") -> FetchedTurn:
    """The results so far of a turn that has not ended."""
    journal = found.journal
    transcript = journal.transcript
    return FetchedTurn(
        turn_id=name.turn_id,
        conversation_id=name.conversation_id,
        transcription=transcript.text if transcript else journal.text,
        response_text=journal.reply or (found.run.reply if found.run else ""),
        language=transcript.language if transcript else journal.language,
        degraded=[],
        timings={},
        clip_id=None,
        state="running" if found.running else "waiting",
    )
