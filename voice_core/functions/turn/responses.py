"""The three responses to a turn: one JSON document, a stream of events, or the speech alone."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from voice_core.domain.conversation import Turn
from voice_core.domain.errors import StageFailed
from voice_core.domain.events import Event, SpeechDelta, SpeechDone, TurnCreated, TurnDone, TurnFailed
from voice_core.domain.position import Position
from voice_core.functions.http.event_stream import ndjson, sse
from voice_core.functions.http.json_response import json_response
from voice_core.functions.http.request import HttpRequest
from voice_core.functions.http.streamed_response import StreamedResponse
from voice_core.functions.turn.events import framed
from voice_core.functions.turn.schemas import ProcessAnswer, ResponseFormat
from voice_core.functions.turn.speech_encoding import AUDIO_OFFERS, Encoders, speech_members
from voice_core.functions.turn.turn_json import turn_members

if TYPE_CHECKING:
    from voice_core.audio.encoding import SpeechEncoder

EVENT_FRAMES = {"text/event-stream": sse, "application/x-ndjson": ndjson}
OFFERS = ("application/json", *EVENT_FRAMES, *AUDIO_OFFERS)
"""The media types of the response to a turn."""


def received(request: HttpRequest, media_type: str) -> Position:
    """The part of a turn that the client has received, from the ``Last-Event-ID`` of a request for events."""
    if media_type not in EVENT_FRAMES:
        return Position()
    return Position.parse(request.headers.get("last-event-id", "")) or Position()


async def as_json(
    request: HttpRequest,
    events: AsyncGenerator[Event],
    audio_format: ResponseFormat,
    encoders: Encoders,
    speech_url: str | None = None,
) -> Response:
    """One JSON document: transcript, reply and speech together."""
    turn, pcm, duration_ms = await request.unless_gone(_complete(events))
    speech = await speech_members(pcm, audio_format, encoders) | {"duration_ms": duration_ms}
    body = ProcessAnswer(**turn_members(turn), **speech, speech_url=speech_url)
    return json_response(body.document(), headers=turn_headers(turn.id, turn.conversation_id, turn.timings))


async def _complete(events: AsyncGenerator[Event]) -> tuple[Turn, bytes, int]:
    speech, duration_ms = bytearray(), 0
    async with aclosing(events):
        async for event in events:
            match event:
                case SpeechDelta(pcm):
                    speech += pcm
                case TurnFailed(error):
                    raise error
                case SpeechDone(duration):
                    duration_ms = duration
                case TurnDone(turn):
                    return turn, bytes(speech), duration_ms
                case _:
                    pass
    raise AssertionError("a turn ends with TurnDone or TurnFailed")


async def as_events(
    request: HttpRequest,
    events: AsyncGenerator[Event],
    media_type: str,
    audio_format: ResponseFormat,
    encoders: Encoders,
    speech_url: str | None,
    begins_after: Position,
) -> Response:
    """A stream of the turn's events, as they happen; the client has received those until *begins_after*.

    The response begins with the turn's first result. An error before it is an HTTP error with its own status.
    """
    created, first = await request.unless_gone(_first_two(events))
    if isinstance(first, TurnFailed):
        # The error's traceback refers to this frame, and the frame to the turn: unless it is closed here, the turn
        # stays open until the garbage collector runs.
        await events.aclose()
        raise first.error
    frame = EVENT_FRAMES[media_type]
    turn = rejoined([created, first], events)
    chunks = framed(turn, frame, audio_format, encoders, speech_url, begins_after)
    return StreamedResponse(request, chunks, media_type, _created_headers(created))


async def as_audio(
    request: HttpRequest, events: AsyncGenerator[Event], media_type: str, encoders: Encoders
) -> Response:
    """A stream of the speech alone. When a part of the speech fails, the connection is aborted."""
    created, first = await request.unless_gone(_until_speech(events))
    if isinstance(first, TurnFailed | TurnDone):
        await events.aclose()
        raise first.error if isinstance(first, TurnFailed) else _unspoken(first.turn)
    chunks = _speech(rejoined([first], events), encoders(AUDIO_OFFERS[media_type]))
    return StreamedResponse(request, chunks, media_type, _created_headers(created))


async def as_speech(
    request: HttpRequest, speech: AsyncGenerator[bytes], media_type: str, encoders: Encoders
) -> Response:
    """A stream of *speech*, without a turn. An error before its first chunk is an HTTP error."""
    first = await request.unless_gone(anext(speech))
    chunks = _encoded(first, speech, encoders(AUDIO_OFFERS[media_type]))
    return StreamedResponse(request, chunks, media_type, {})


async def _encoded(first: bytes, rest: AsyncGenerator[bytes], encoder: "SpeechEncoder") -> AsyncGenerator[bytes]:
    async with aclosing(rest):
        yield encoder.feed(first)
        async for pcm in rest:
            yield encoder.feed(pcm)
        yield encoder.finish()


async def _speech(events: AsyncGenerator[Event], encoder: "SpeechEncoder") -> AsyncGenerator[bytes]:
    async with aclosing(events):
        async for event in events:
            match event:
                case SpeechDelta(pcm):
                    if encoded := encoder.feed(pcm):
                        yield encoded
                case TurnFailed(error):
                    raise error
                case TurnDone(turn) if "speech" in turn.degraded:
                    raise _unspoken(turn)
                case SpeechDone():
                    if encoded := encoder.finish():
                        yield encoded
                case _:
                    pass


async def _first_two(events: AsyncGenerator[Event]) -> tuple[Event, Event]:
    return await anext(events), await anext(events)


async def _until_speech(events: AsyncGenerator[Event]) -> tuple[Event, Event]:
    """The first event of a turn, and its first speech or its end."""
    created = event = await anext(events)
    while not isinstance(event, SpeechDelta | TurnDone | TurnFailed):
        event = await anext(events)
    return created, event


async def rejoined(first: list[Event], rest: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
    """The events that were read already, and the *rest*."""
    async with aclosing(rest):
        for event in first:
            yield event
        async for event in rest:
            yield event


def _unspoken(turn: Turn) -> StageFailed:
    document: dict[str, Any] = {
        "turnId": turn.id,
        "conversationId": turn.conversation_id,
        "transcription": turn.transcript,
        "responseText": turn.reply,
    }
    return StageFailed(
        "The reply is complete as text, but its speech failed.", code="speech-failed", stage="tts", extra=document
    )


def _created_headers(created: Event) -> dict[str, str]:
    if not isinstance(created, TurnCreated):
        raise TypeError(created)
    return turn_headers(created.turn_id, created.conversation_id, {})


def turn_headers(turn_id: str, conversation_id: str, timings: dict[str, int]) -> dict[str, str]:
    """The headers of a response about one turn."""
    headers = {"X-Turn-Id": turn_id, "X-Conversation-Id": conversation_id}
    if timings:
        headers["Server-Timing"] = ", ".join(f"{stage};dur={ms}" for stage, ms in timings.items())
    return headers
