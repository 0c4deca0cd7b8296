"""/session: negotiate, inspect and end a WebRTC session, as JSON or as WHIP (RFC 9725)."""

from typing import TYPE_CHECKING
from uuid import uuid4

import azure.functions as func
from starlette.responses import Response

from voice_core import wiring
from voice_core.domain.conversation import new_conversation_id
from voice_core.functions.http.body import query_options, read_json, typed
from voice_core.functions.http.idempotency import REPLAYED, IdempotencyKey, idempotency_key
from voice_core.functions.http.identity import user_id
from voice_core.functions.http.json_response import json_response
from voice_core.functions.http.negotiation import negotiate
from voice_core.functions.http.problems import WrongContentType
from voice_core.functions.http.rate_limit import enforce_limit
from voice_core.functions.http.request import HttpRequest
from voice_core.functions.http.request_model import parsed
from voice_core.functions.http.serve import served, served_publicly
from voice_core.functions.session.responses import answer_response, etag, preparation_response, stream_response
from voice_core.functions.session.schemas import Offer, SessionPath, SessionRequest, SessionStateAnswer
from voice_core.functions.session.whip import FRAGMENT, check_fragment, whip_response

if TYPE_CHECKING:
    from voice_core.usecases.session.open_session import OpenSession

blueprint = func.Blueprint()

SDP = "application/sdp"
OFFER_BYTES = 128_000
EVENTS = "text/event-stream"


@blueprint.route("voice/session", methods=["POST"])
@served
async def post_session(request: HttpRequest) -> Response:
    """Open a session, or without an offer prepare one."""
    key = idempotency_key(request)
    if request.content_type == SDP:
        return await _whip(request, key)
    if request.content_type not in ("application/json", ""):
        raise WrongContentType(f"Send JSON, or an SDP offer as {SDP}.")
    media_type = negotiate(request.headers.get("accept", ""), ("application/json", EVENTS))
    data = await request.read(OFFER_BYTES)
    body = parsed(SessionRequest, query_options(request) | (await read_json(data) if data else {}))
    if body.offer is None:
        return await _prepare(request, body, key)
    opened = await _open(request, body, body.offer, key)
    return stream_response(request, opened) if media_type == EVENTS else answer_response(opened)


@blueprint.route("voice/session", methods=["OPTIONS"], auth_level=func.AuthLevel.ANONYMOUS)
@served_publicly
async def options_session(_incoming: HttpRequest) -> Response:
    """The content types that may be posted."""
    return Response(status_code=204, headers={"Accept-Post": f"{SDP}, application/json", "Allow": "OPTIONS, POST"})


@blueprint.route("voice/session/{sessionId}", methods=["GET"])
@served
async def get_session(request: HttpRequest) -> Response:
    """The state of a session."""
    app = await _app()
    return _state(app, request)


@blueprint.route("voice/session/{sessionId}", methods=["PATCH"])
@served
async def patch_session(request: HttpRequest) -> Response:
    """Add ICE candidates of the client (trickle ICE)."""
    if request.content_type != FRAGMENT:
        raise WrongContentType(f"Send an SDP fragment as {FRAGMENT}.")
    fragment = (await request.read(OFFER_BYTES)).decode(errors="replace")
    app = await _app()
    live = app.sessions.live(user_id(request), _session_id(request))
    check_fragment(fragment, live.peer.ice, request.headers.get("if-match"), etag(live))
    await live.add_candidates(fragment)
    return Response(status_code=204, headers={"ETag": etag(live)})


@blueprint.route("voice/session/{sessionId}", methods=["DELETE"])
@served
async def delete_session(request: HttpRequest) -> Response:
    """End a session."""
    app = await _app()
    app.sessions.close_session(user_id(request), _session_id(request))
    return _state(app, request)


async def _app() -> wiring.App:
    app = wiring.app()
    await app.load_sessions()
    return app


async def _whip(request: HttpRequest, key: IdempotencyKey | None) -> Response:
    offer = Offer(sdp=(await request.read(OFFER_BYTES)).decode(errors="replace"))
    body = parsed(SessionRequest, query_options(request))
    return whip_response(await _open(request, body, offer, key))


async def _open(request: HttpRequest, body: SessionRequest, offer: Offer, key: IdempotencyKey | None) -> "OpenSession":
    from voice_core.domain.session import Update
    from voice_core.functions.session.data_channel import SessionMessageCodec
    from voice_core.usecases.session.request import NewSession

    app = await _app()
    longest = app.settings.max_text_characters
    new_session = NewSession(
        user_id=user_id(request),
        conversation_id=_conversation_id(body, key),
        query=typed(body.query, longest) if body.query else "",
        options=Update(
            voice=body.voice, language=body.language, phrases=tuple(body.phrases), hands_free=body.hands_free
        ),
    )
    await enforce_limit(request, "sessions")
    codec = SessionMessageCodec(longest)
    if key is None:
        opened, replayed = await request.unless_gone(app.sessions.open(new_session, offer.sdp, codec)), False
    else:
        idempotent_request = key.request_for("session", body.model_copy(update={"offer": offer}))
        opened, replayed = await request.unless_gone(
            app.sessions.open_once(new_session, offer.sdp, codec, idempotent_request)
        )
    request.response_headers.update(REPLAYED if replayed else {})
    app.warm_soon()
    return opened


async def _prepare(request: HttpRequest, body: SessionRequest, key: IdempotencyKey | None) -> Response:
    await enforce_limit(request, "sessions")
    app = wiring.app()
    app.warm_soon()
    return preparation_response(_conversation_id(body, key), app.ice.mint(uuid4().hex))


def _conversation_id(body: SessionRequest, key: IdempotencyKey | None) -> str:
    return body.conversation_id or new_conversation_id(key.id_of("session's conversation") if key else "")


def _state(app: wiring.App, request: HttpRequest) -> Response:
    status = app.sessions.status(user_id(request), _session_id(request))
    state = SessionStateAnswer(
        session_id=status.id,
        conversation_id=status.conversation_id,
        state=status.state.value,
        reason=status.reason,
        expires_at=status.expires_at.isoformat(),
    )
    return json_response(state.document())


def _session_id(request: HttpRequest) -> str:
    """The session id in the path."""
    return parsed(SessionPath, dict(request.path)).session_id
