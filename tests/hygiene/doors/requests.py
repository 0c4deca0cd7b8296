"""Doors of HTTP requests: bodies in every form, headers, language tags, sign-in headers."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlencode

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Message

from tests.audio.sounds import wav
from tests.hygiene.doors.resources import USER, Resources
from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.forms import form
from tests.hygiene.structure.json_documents import MEMBERS, document, option
from tests.hygiene.structure.language_tags import language_tag
from tests.hygiene.structure.principals import principals
from tests.hygiene.structure.request_headers import headers
from voice_core import telemetry
from voice_core.adapters.easy_auth import PRINCIPAL, EasyAuthCallers
from voice_core.audio.pcm_layout import RawPcm
from voice_core.domain.errors import VoiceError
from voice_core.functions.clip.schemas import ClipRequest
from voice_core.functions.http.admission import Admission
from voice_core.functions.http.body import query_options, read_json
from voice_core.functions.http.idempotency import idempotency_key
from voice_core.functions.http.media_type import media_type
from voice_core.functions.http.negotiation import negotiate
from voice_core.functions.http.request import HttpRequest
from voice_core.functions.http.request_model import RequestModel, parsed
from voice_core.functions.session.schemas import SessionRequest
from voice_core.functions.turn.input import read_turn_input
from voice_core.functions.turn.responses import OFFERS
from voice_core.functions.turn.schemas import ProcessRequest, SpeakRequest, TranscribeRequest
from voice_core.functions.turn.speech_file import byte_range

MODELS: Mapping[str, type[RequestModel]] = {
    "process": ProcessRequest,
    "transcribe": TranscribeRequest,
    "speak": SpeakRequest,
    "clips": ClipRequest,
    "session": SessionRequest,
}
QUERY = (
    "language",
    "languages",
    "phrases",
    "format",
    "sampleRate",
    "channels",
    "voice",
    "speech",
    "text",
    "conversationId",
)


def http_request(
    fields: Iterable[tuple[bytes, bytes]], body: bytes = b"", query: str = "", step: int = 65_536
) -> HttpRequest:
    """A request as the host passes it on, whose *body* arrives in pieces of *step* bytes."""
    pieces = [body[start : start + step] for start in range(0, len(body), step)] or [b""]
    last = len(pieces) - 1
    messages = iter(
        {"type": "http.request", "body": piece, "more_body": place < last} for place, piece in enumerate(pieces)
    )

    async def receive() -> Message:
        if (message := next(messages, None)) is None:
            await asyncio.Event().wait()  # The client stays connected.
        return message or {}

    raw = [(b"transfer-encoding", b"chunked"), *fields]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "headers": raw,
        "query_string": query.encode("utf-8", "replace"),
    }
    request = HttpRequest(Request(scope, receive))
    request.user_id = USER
    return request


async def json_body(draw: Draw, resources: Resources) -> str:
    """The JSON of any route."""
    route = draw.choice((*MEMBERS,))
    body = document(draw, MEMBERS[route])
    if route in ("process", "transcribe"):
        return await _turn(draw, resources, "application/json", body)
    parsed(MODELS[route], await read_json(body))
    return "accepted"


async def form_body(draw: Draw, resources: Resources) -> str:
    sound = wav(draw.randbytes(640), RawPcm(16_000))
    content_type, body = form(draw, sound)
    return await _turn(draw, resources, content_type, body)


async def raw_body(draw: Draw, resources: Resources) -> str:
    """PCM of a layout that the query or the content type declares."""
    shape = draw.choice(
        (
            "audio/pcm",
            "audio/l16; rate=16000; channels=1",
            f"audio/L16;rate={draw.number(20)};channels={draw.number(4)}",
            "a/b",
        )
    )
    return await _turn(draw, resources, shape, draw.randbytes(draw.choice((0, 1, 3, 3_200, 40_000))))


class FreeAdmission(Admission):
    """Admits every request: limits are not what is tried here."""

    async def count(self, *, hears: bool) -> None:
        """Nothing is counted."""

    async def _admit_large(self, size: int, limit: int) -> None:
        """Each body has room."""


async def _turn(draw: Draw, resources: Resources, content_type: str, body: bytes) -> str:
    options = [(name, str(option(draw, name))) for name in draw.some(QUERY, 0.1)]
    query = urlencode(options, errors="replace") if draw.likely(0.9) else draw.text(200)
    fields = [(b"content-type", content_type.encode("latin-1", "replace"))]
    request = http_request(fields, body, query, draw.choice((1_000, 65_536)))
    model = draw.choice((ProcessRequest, TranscribeRequest))
    try:
        turn_input = await read_turn_input(request, model, resources, FreeAdmission(request, "turns"))
        if (utterance := turn_input.utterance()) is None:
            return "text"
        return "decoded" if [pcm async for pcm in utterance] else "silent"
    finally:
        await request.aclose()


async def header_fields(draw: Draw, _: Resources) -> str:
    """Each header that is parsed by itself; a refusal of one does not end the others."""
    request = http_request(headers(draw))
    steps: tuple[Callable[[], object], ...] = (
        lambda: negotiate(request.headers.get("accept", ""), OFFERS),
        lambda: media_type(request.headers.get("content-type")),
        lambda: request.content_length,
        lambda: request.has('"1-done"'),
        lambda: idempotency_key(request),
        lambda: byte_range(request.headers.get("range", ""), draw.choice((0, 1, 10**6))),
        lambda: telemetry.begin_request(request.headers.get("traceparent")),
        lambda: query_options(request),
    )
    refusal: VoiceError | None = None
    for step in steps:
        try:
            step()
        except VoiceError as error:
            refusal = refusal or error
    if refusal:
        raise refusal
    return "accepted"


async def language(draw: Draw, _: Resources) -> str:
    parsed(TranscribeRequest, {"language": language_tag(draw), "languages": [language_tag(draw)]})
    return "accepted"


async def principal(draw: Draw, _: Resources) -> str:
    raw = [(PRINCIPAL.encode(), value.encode("utf-8")) for value in principals(draw)]
    await EasyAuthCallers().identify(Headers(raw=raw))
    return "accepted"
