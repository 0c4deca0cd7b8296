"""A turn in the order of the plan that the product came from: hear all, then write all, then speak all.

It stands beside the product on the same ports, for comparison.
"""

from base64 import b64encode
from collections.abc import AsyncGenerator
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from voice_core import wiring
from voice_core.domain.speech import Hints, Transcript
from voice_core.usecases.turn.services import TurnServices


async def post_in_plan_order(request: Request) -> Response:
    """Answer a recording with one JSON document."""
    app = await wiring.ready()
    pcm = b"".join([chunk async for chunk in app.decoding(None).pcm(request.stream())])
    transcript = await _heard(pcm, app.services)
    reply = "".join([text async for text in app.services.assistant.reply(transcript, ())])
    speech = b"".join([chunk async for chunk in app.services.tts.synthesize(reply, None)])
    return JSONResponse(
        {
            "transcription": transcript,
            "responseText": reply,
            "audioData": b64encode(speech).decode(),
            "conversationId": uuid4().hex,
        }
    )


async def _heard(pcm: bytes, services: TurnServices) -> str:
    heard = [item async for item in services.stt.transcribe(_once(pcm), Hints())]
    return next(item.text for item in heard if isinstance(item, Transcript))


async def _once(pcm: bytes) -> AsyncGenerator[bytes]:
    yield pcm
