"""/conversations/{id}/turns/{id}/speech: the speech of a reply as a file, which players may fetch in ranges."""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

import azure.functions as func
from starlette.responses import Response

from voice_core import wiring
from voice_core.domain.speech import SpeechName, StoredSpeech
from voice_core.functions.http.identity import user_id
from voice_core.functions.http.negotiation import negotiate
from voice_core.functions.http.rate_limit import limited_stream
from voice_core.functions.http.request import HttpRequest
from voice_core.functions.http.request_model import parsed
from voice_core.functions.http.serve import served
from voice_core.functions.http.streamed_response import StreamedResponse
from voice_core.functions.turn.schemas import ResponseFormat, SpeechPath, SpeechQuery
from voice_core.functions.turn.speech_encoding import AUDIO_OFFERS, MEDIA_TYPES, Encoders, encode_file

if TYPE_CHECKING:
    from voice_core.wiring.clips import ClipWork

blueprint = func.Blueprint()

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.IGNORECASE)
"""One range (RFC 9110, 14.1.2). For several, or one beyond all files, the complete file may be sent."""


@blueprint.route("voice/conversations/{conversationId}/turns/{turnId}/speech", methods=["GET", "HEAD"])
@served
async def get_turn_speech(request: HttpRequest) -> Response:
    """The speech of a turn: the complete file with its length, or a stream while it is still being synthesised."""
    path, query = parsed(SpeechPath, dict(request.path)), parsed(SpeechQuery, dict(request.query))
    audio_format = query.format or AUDIO_OFFERS[negotiate(request.headers.get("accept", ""), list(AUDIO_OFFERS))]
    work, app = await wiring.ready_for_clips(), wiring.app()
    speech = await work.find_speech(SpeechName(user_id(request), path.conversation_id, path.turn_id))
    if not speech.complete:
        chunks = _nothing()
        if request.method == "GET":
            slot = app.user_limits.speech_streams.acquire(user_id(request))
            live = _live(work.follow_speech(speech.name), audio_format, app.encoder)
            chunks = limited_stream(slot, live)
        return StreamedResponse(request, chunks, MEDIA_TYPES[audio_format], {"Accept-Ranges": "none"})
    size = await work.encoded_bytes(speech, audio_format, lambda pcm: encode_file(pcm, audio_format, app.encoder))
    return await _file(request, speech, audio_format, size, work)


async def _live(
    speech: AsyncGenerator[bytes], audio_format: ResponseFormat, encoders: Encoders
) -> AsyncGenerator[bytes]:
    encoder = encoders(audio_format)
    async with aclosing(speech):
        async for pcm in speech:
            if encoded := encoder.feed(pcm):
                yield encoded
        yield encoder.finish()


async def _nothing() -> AsyncGenerator[bytes]:
    return
    yield


async def _file(
    request: HttpRequest, speech: StoredSpeech, audio_format: ResponseFormat, size: int, work: "ClipWork"
) -> Response:
    etag = f'"{speech.made_at.timestamp():.0f}-{audio_format}"'
    headers = {"Accept-Ranges": "bytes", "ETag": etag, "Cache-Control": "private"}
    if request.has(etag):
        return Response(status_code=304, headers=headers)
    # Range applies to GET only (RFC 9110, 14.2).
    ranged = request.method == "GET" and request.headers.get("if-range", etag) == etag
    span = byte_range(request.headers.get("range", "") if ranged else "", size)
    start, end = span or (0, size)
    if start >= size:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    if span is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    body = await work.speeches.read_encoded(speech.name, audio_format, start, end - start)
    return Response(body, 206 if span else 200, headers, MEDIA_TYPES[audio_format])


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """The first byte that the Range *header* requests and the one after the last, of a file of *size* bytes.

    None when the header is no range that is supported; then the complete file is sent. A first byte at *size* means
    that the range is beyond the end.
    """
    match = _RANGE.fullmatch(header.replace(" ", ""))
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return max(0, size - int(match[2])) if int(match[2]) else size, size
    first = int(match[1])
    last = int(match[2]) if match[2] else size - 1
    return None if last < first < size else (min(first, size), min(last + 1, size))
