"""/session: negotiate, keep and end a WebRTC session, as JSON or as WHIP (RFC 9725)."""

from typing import TYPE_CHECKING

import azure.functions as func
from starlette.responses import Response

from voice_core import wiring
from voice_core.domain.conversation import new_conversation_id
from voice_core.functions.http.body import query_options, read_json, typed
from voice_core.functions.http.idempotency import REPLAYED, Key, idempotency_key
from voice_core.functions.http.identity import user_id
from voice_core.functions.http.json_response import json_response
from voice_core.functions.http.negotiation import negotiate
from voice_core.functions.http.problems import WrongContentType
from voice_core.functions.http.rate_limit import admitted
from voice_core.functions.http.request import Incoming
from voice_core.functions.http.request_model import parsed
from voice_core.functions.http.serve import served, served_publicly
from voice_core.functions.session.responses import etag, held_open, negotiated, prepared
from voice_core.functions.session.schemas import Offer, SessionPath, SessionRequest, SessionStateAnswer
from voice_core.functions.session.whip import FRAGMENT, check_fragment, whip_answer

if TYPE_CHECKING:
    from voice_core.usecases.session.opened import Opened

blueprint = func.Blueprint()

SDP = "application/sdp"
OFFER_BYTES = 128_000
EVENTS = "text/event-stream"


@blueprint.route("voice/session", methods=["POST"])
@served
async def post_session(incoming: Incoming) -> Response:
    """Open a session, or without an offer prepare one."""
    key = idempotency_key(incoming)
    if incoming.content_type == SDP:
        return await _whip(incoming, key)
    if incoming.content_type not in ("application/json", ""):
        raise WrongContentType(f"Send JSON, or an SDP offer as {SDP}.")
    media_type = negotiate(incoming.headers.get("accept", ""), ("application/json", EVENTS))
    body = await incoming.read(OFFER_BYTES)
    asked = parsed(SessionRequest, query_options(incoming) | (await read_json(body) if body else {}))
    if asked.offer is None:
        return _prepare(incoming, asked, key)
    opened = await _open(incoming, asked, asked.offer, key)
    return held_open(incoming, opened) if media_type == EVENTS else negotiated(opened)


@blueprint.route("voice/session", methods=["OPTIONS"], auth_level=func.AuthLevel.ANONYMOUS)
@served_publicly
async def options_session(_incoming: Incoming) -> Response:
    """What may be posted."""
    return Response(status_code=204, headers={"Accept-Post": f"{SDP}, application/json", "Allow": "OPTIONS, POST"})


@blueprint.route("voice/session/{sessionId}", methods=["GET"])
@served
async def get_session(incoming: Incoming) -> Response:
    """How a session is."""
    app = await _app()
    return _state(app, incoming)


@blueprint.route("voice/session/{sessionId}", methods=["PATCH"])
@served
async def patch_session(incoming: Incoming) -> Response:
    """More addresses of the client's (trickle ICE)."""
    if incoming.content_type != FRAGMENT:
        raise WrongContentType(f"Send an SDP fragment as {FRAGMENT}.")
    fragment = (await incoming.read(OFFER_BYTES)).decode(errors="replace")
    app = await _app()
    live = app.sessions.live(user_id(incoming), _named(incoming))
    check_fragment(fragment, live.peer.ice, incoming.headers.get("if-match"), etag(live))
    await live.peer.add_candidates(fragment)
    return Response(status_code=204, headers={"ETag": etag(live)})


@blueprint.route("voice/session/{sessionId}", methods=["DELETE"])
@served
async def delete_session(incoming: Incoming) -> Response:
    """End a session."""
    app = await _app()
    app.sessions.close_session(user_id(incoming), _named(incoming))
    return _state(app, incoming)


async def _app() -> wiring.App:
    app = wiring.app()
    await app.load_sessions()
    return app


async def _whip(incoming: Incoming, key: Key | None) -> Response:
    offer = Offer(sdp=(await incoming.read(OFFER_BYTES)).decode(errors="replace"))
    asked = parsed(SessionRequest, query_options(incoming))
    return whip_answer(await _open(incoming, asked, offer, key))


async def _open(incoming: Incoming, asked: SessionRequest, offer: Offer, key: Key | None) -> "Opened":
    from voice_core.domain.session import Update
    from voice_core.functions.session.data_channel import SessionWire
    from voice_core.usecases.session.request import Asked

    app = await _app()
    longest = app.settings.max_text_characters
    who = Asked(
        user_id=user_id(incoming),
        conversation_id=_conversation_id(asked, key),
        query=typed(asked.query, longest) if asked.query else "",
        wishes=Update(
            voice=asked.voice, language=asked.language, phrases=tuple(asked.phrases), hands_free=asked.hands_free
        ),
    )
    await admitted(incoming, "sessions")
    wire = SessionWire(longest)
    if key is None:
        opened, again = await incoming.unless_gone(app.sessions.open(who, offer.sdp, wire)), False
    else:
        request = key.request("session", asked.model_copy(update={"offer": offer}))
        opened, again = await incoming.unless_gone(app.sessions.open_once(who, offer.sdp, wire, request))
    incoming.told.update(REPLAYED if again else {})
    app.warm_soon()
    return opened


def _prepare(incoming: Incoming, asked: SessionRequest, key: Key | None) -> Response:
    app = wiring.app()
    app.warm_soon()
    return prepared(_conversation_id(asked, key), app.ice.mint(user_id(incoming)))


def _conversation_id(asked: SessionRequest, key: Key | None) -> str:
    return asked.conversation_id or new_conversation_id(key.id_of("session's conversation") if key else "")


def _state(app: wiring.App, incoming: Incoming) -> Response:
    known = app.sessions.known(user_id(incoming), _named(incoming))
    answer = SessionStateAnswer(
        session_id=known.id,
        conversation_id=known.conversation_id,
        state=known.state.value,
        reason=known.reason,
        expires_at=known.expires_at.isoformat(),
    )
    return json_response(answer.document())


def _named(incoming: Incoming) -> str:
    """The session that the path names."""
    return parsed(SessionPath, dict(incoming.path)).session_id
