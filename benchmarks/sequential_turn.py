"""A sequential turn, as in the first design of the product: recognise all, then reply, then synthesise all.

It uses the same ports as the product, for comparison.
"""

from base64 import b64encode
from collections.abc import AsyncGenerator
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from voice_core import wiring
from voice_core.domain.speech import Hints, Transcript
from voice_core.usecases.turn.services import TurnServices


async def post_sequential_turn(request: Request) -> Response:
    """Respond to a recording with one JSON document."""
    app = await wiring.ready()
    pcm = b"".join([chunk async for chunk in app.decoding(None, "benchmark").pcm(request.stream())])
    transcript = await _transcribe(pcm, app.services)
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


async def _transcribe(pcm: bytes, services: TurnServices) -> str:
    results = [item async for item in services.stt.transcribe(_once(pcm), Hints())]
    return next(item.text for item in results if isinstance(item, Transcript))


async def _once(pcm: bytes) -> AsyncGenerator[bytes]:
    yield pcm
