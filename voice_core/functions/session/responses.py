"""How a negotiation is answered: at once, or by a stream that stays open as long as the session."""

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
    from voice_core.usecases.session.opened import OpenSession
    from voice_core.usecases.session.request import SentEvent

KEEP_ALIVE_SECONDS = 15.0
"""Between two comments on a silent stream; the front end of Azure hangs up after 230 s of silence."""


def etag(live: LiveSession) -> str:
    """Names the session's ICE session, which never restarts."""
    return f'"{live.id[:8]}-{live.peer.ice}"'


def named(opened: OpenSession) -> dict[str, str]:
    """The headers by which a client finds its session again, and may trickle to it."""
    return {"Location": f"/api/voice/session/{opened.live.id}", "ETag": etag(opened.live)}


def prepared(conversation_id: str, servers: Sequence[IceServer]) -> Response:
    """What a client needs before it makes its offer."""
    answer = SessionReadyAnswer(
        conversation_id=conversation_id,
        ice_servers=_servers(servers),
        audio=SessionAudio(
            recordings=["wav", "m4a", "3gp", "caf", "webm", "ogg", "mp3", "flac", "aac", "Pcm16"],
            response_formats=["pcm", "wav", "mp3", "opus"],
            sample_rate=SPEECH_RATE,
        ),
    )
    return json_response(answer.document())


def negotiated(opened: OpenSession) -> Response:
    """The answer, at once."""
    return json_response(_answer(opened).document(), status_code=201, headers=named(opened))


def held_open(request: HttpRequest, opened: OpenSession) -> Response:
    """The answer as the first event of a stream, then the session's events; who hangs up ends the session."""
    stream = _stream(opened, opened.live.follow())
    response = StreamedResponse(request, stream, "text/event-stream", named(opened))
    response.status_code = 201
    return response


async def _stream(opened: OpenSession, events: AsyncGenerator[SentEvent]) -> AsyncGenerator[bytes]:
    opened.live.holders += 1
    try:
        yield _frame("session.created", 0, compact({"type": "session.created"} | _answer(opened).document()))
        number = 1
        async with aclosing(_with_keep_alives(events)) as told:
            async for one in told:
                if one is None:
                    yield b": the session lasts\n\n"
                    continue
                yield _frame(one.type, number, one.text.encode())
                number += 1
    finally:
        # Whoever asked again, because the first answer broke off, holds it open now.
        opened.live.holders -= 1
        if not opened.live.holders:
            from voice_core.domain.session import Reason

            opened.live.close(Reason.CLIENT_LEFT)


def _frame(event: str, number: int, data: bytes) -> bytes:
    return b"event: %s\nid: %d\ndata: %s\n\n" % (event.encode(), number, data)


async def _with_keep_alives(events: AsyncGenerator[SentEvent]) -> AsyncGenerator[SentEvent | None]:
    """*events*, and None whenever there was none for a while."""
    coming = asyncio.ensure_future(anext(events, None))
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=KEEP_ALIVE_SECONDS)
            if not done:
                yield None
            elif (event := coming.result()) is None:
                return
            else:
                coming = asyncio.ensure_future(anext(events, None))
                yield event
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
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
