"""/debug/turns: the latest turns of this worker, for developers: timings and errors, never what was said."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import azure.functions as func
from starlette.responses import Response

from voice_core import wiring
from voice_core.domain.errors import NotFound
from voice_core.functions.http.json_response import json_response
from voice_core.functions.http.request import HttpRequest
from voice_core.functions.http.serve import served

if TYPE_CHECKING:
    from voice_core.telemetry.turns import Part, TurnSignal

blueprint = func.Blueprint()


@blueprint.route("voice/debug/turns", methods=["GET"])
@served
async def get_turns_seen(_request: HttpRequest) -> Response:
    """List the latest turns, newest first."""
    recent = wiring.app().telemetry.recent
    if recent is None:
        raise NotFound("The list of turns is disabled: DEBUG_TURNS is off.")
    return json_response({"turns": [_members(turn) for turn in reversed(recent.turns)]})


def _members(turn: "TurnSignal") -> dict[str, Any]:
    return {
        "turnId": turn.turn_id,
        "requestId": turn.span.trace_id,
        "at": datetime.fromtimestamp(turn.wall_ns(turn.began) / 1e9, UTC).isoformat(timespec="milliseconds"),
        "outcome": turn.outcome,
        "code": turn.code,
        "delivery": turn.delivery,
        "degraded": list(turn.degraded),
        "timings": dict(turn.timings),
        "parts": [_part(turn, part) for part in turn.parts()],
    }


def _part(turn: "TurnSignal", part: "Part") -> dict[str, Any]:
    """The members of *part*; times are in milliseconds from the turn's beginning."""
    return {
        "name": part.name,
        "from": round((part.began - turn.began) * 1000, 1),
        "to": round((part.ended - turn.began) * 1000, 1),
        "call": part.call is not None,
        "error": part.error,
    }
