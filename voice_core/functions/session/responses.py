"""Responses to a negotiation: one JSON document, or a stream of events that stays open as long as the session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from starlette.responses import Response

from voice_core.domain.audio import SPEECH_RATE
from voice_core.functions.http.json_response import compact, json_response
from voice_core.functions.http.request import HttpRequest
from voice_core.functions.http.streamed_response import StreamedResponse
from voice_core.functions.session.schemas import (
    IceServerAnswer,
    SdpAnswer,
    SessionAnswer,
    SessionAudio,
    SessionReadyAnswer,
)

if TYPE_CHECKING:
    from voice_core.domain.session import IceServer
    from voice_core.usecases.session.live_session import LiveSession
    from voice_core.usecases.session.open_session import OpenSession
    from voice_core.usecases.session.request import SentEvent

KEEP_ALIVE_SECONDS = 15.0
"""Between two comments on a silent stream; the front end of Azure disconnects after 230 s of silence."""


def etag(live: LiveSession) -> str:
    """The entity tag of the session's ICE session, which never restarts."""
    return f'"{live.id[:8]}-{live.peer.ice}"'


def session_headers(opened: OpenSession) -> dict[str, str]:
    """The session's URL, and the entity tag that trickle ICE needs."""
    return {"Location": f"/api/voice/session/{opened.live.id}", "ETag": etag(opened.live)}


def preparation_response(conversation_id: str, servers: Sequence[IceServer]) -> Response:
    """The data that a client needs before it creates its offer."""
    preparation = SessionReadyAnswer(
        conversation_id=conversation_id,
        ice_servers=_servers(servers),
        audio=SessionAudio(
            recordings=["wav", "m4a", "3gp", "caf", "webm", "ogg", "mp3", "flac", "aac", "Pcm16"],
            response_formats=["pcm", "wav", "mp3", "opus"],
            sample_rate=SPEECH_RATE,
        ),
    )
    return json_response(preparation.document())


def answer_response(opened: OpenSession) -> Response:
    """The SDP answer as one JSON document."""
    return json_response(_answer(opened).document(), status_code=201, headers=session_headers(opened))


def stream_response(request: HttpRequest, opened: OpenSession) -> Response:
    """The SDP answer as the first event of a stream, then the session's events.

    A client that closes the stream ends the session.
    """
    stream = _stream(opened, opened.live.follow())
    response = StreamedResponse(request, stream, "text/event-stream", session_headers(opened))
    response.status_code = 201
    return response


async def _stream(opened: OpenSession, events: AsyncGenerator[SentEvent]) -> AsyncGenerator[bytes]:
    opened.live.open_streams += 1
    try:
        yield _frame("session.created", 0, compact({"type": "session.created"} | _answer(opened).document()))
        number = 1
        async with aclosing(_with_keep_alives(events)) as sent:
            async for event in sent:
                if event is None:
                    yield b": the session lasts\n\n"
                    continue
                yield _frame(event.type, number, event.text.encode())
                number += 1
    finally:
        # A client whose first stream broke off may have retried: its new stream keeps the session open.
        opened.live.open_streams -= 1
        if not opened.live.open_streams:
            from voice_core.domain.session import Reason

            opened.live.close(Reason.CLIENT_LEFT)


def _frame(event: str, number: int, data: bytes) -> bytes:
    return b"event: %s\nid: %d\ndata: %s\n\n" % (event.encode(), number, data)


async def _with_keep_alives(events: AsyncGenerator[SentEvent]) -> AsyncGenerator[SentEvent | None]:
    """*events*, and None whenever there was none for KEEP_ALIVE_SECONDS."""
    upcoming = asyncio.ensure_future(anext(events, None))
    try:
        while True:
            done, _ = await asyncio.wait({upcoming}, timeout=KEEP_ALIVE_SECONDS)
            if not done:
                yield None
            elif (event := upcoming.result()) is None:
                return
            else:
                upcoming = asyncio.ensure_future(anext(events, None))
                yield event
    finally:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)
        await events.aclose()


def _answer(opened: OpenSession) -> SessionAnswer:
    live = opened.live
    return SessionAnswer(
        session_id=live.id,
        conversation_id=live.new_session.conversation_id,
        answer=SdpAnswer(type="answer", sdp=live.peer.answer),
        ice_servers=_servers(opened.servers),
        expires_at=opened.expires_at.isoformat(),
    )


def _servers(servers: Sequence[IceServer]) -> list[IceServerAnswer]:
    return [
        IceServerAnswer(urls=list(server.urls), username=server.username or None, credential=server.credential or None)
        for server in servers
    ]
