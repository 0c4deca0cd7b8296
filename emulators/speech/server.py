"""The Speech service on this machine, for the unmodified Speech SDK.

`SpeechConfig(endpoint=<base URL>, subscription=<anything>)` recognises and speaks here. Voices are listed as by Azure.

How a script's steps are used up:

* A turn takes the next ``stt`` or ``tts`` step when it begins: with its first audio, or its SSML. A connection that is
  opened early and stays idle takes none.
* ``connect_seconds`` and ``status`` act when a connection is opened, on the step that is next at that moment. Waiting
  leaves the step to the turn; refusing uses it up, so the SDK's own retry meets the step after it.
* A turn on a connection that is already open has no connection to wait for. ``status`` then closes the socket with
  what the SDK reports as that class (400: 1007, 429: 4429) or as a failing service (1011).
* ``first_seconds`` includes the time the engine takes. ``drop_after`` counts interims, phrases and chunks of speech.
* ``body`` stands for the phrase of a recognition, for the voices list, and for the text of a refusal.
"""

import asyncio
import json
import os
from collections.abc import Callable, Collection
from typing import Any

from aiohttp import WSMsgType, web

from emulators.script import Script, Step
from emulators.serving import SCRIPT, scripted
from emulators.speech.channel import BAD_REQUEST, Channel
from emulators.speech.engine_choice import engines_from
from emulators.speech.engines import Engines
from emulators.speech.messages import Message
from emulators.speech.refusals import Refused
from emulators.speech.turns import Recognitions, Syntheses, Turns
from emulators.speech.voices import VOICES

STT_PATHS = (
    "/stt/speech/universal/v2",
    "/speech/recognition/{mode:interactive|conversation|dictation}/cognitiveservices/v1",
)
TTS_PATHS = ("/tts/cognitiveservices/websocket/v1", "/cognitiveservices/websocket/v1")
VOICES_PATHS = ("/tts/cognitiveservices/voices/list", "/cognitiveservices/voices/list")

LARGEST_MESSAGE_BYTES = 4 << 20

KEYS = web.AppKey("keys", frozenset[str])
ENGINES = web.AppKey("engines", Engines)


def speech_app(
    engines: Engines | None = None, script: Script | None = None, keys: Collection[str] = ()
) -> web.Application:
    """The service as an application, with the engines the environment names unless others are given.

    It accepts any key or bearer token, or only *keys* when there are some.
    """
    app = scripted(web.Application(), script)
    app[ENGINES] = engines or engines_from(os.environ)
    app[KEYS] = frozenset(keys)
    for path in STT_PATHS:
        app.router.add_get(path, _recognise)
    for path in TTS_PATHS:
        app.router.add_get(path, _synthesise)
    for path in VOICES_PATHS:
        app.router.add_get(path, _list_voices)
    app.on_cleanup.append(_close_engines)
    return app


async def _close_engines(app: web.Application) -> None:
    await app[ENGINES].recognizer.close()


async def _list_voices(request: web.Request) -> web.Response:
    refusal = await _refusal(request, "voices")
    if refusal is not None:
        return refusal
    script = request.app[SCRIPT]
    with script.serving("voices") as served:
        step = script.next("voices")
        if step.hang:
            served.outcome = "hung"
            await asyncio.Event().wait()
        voices = step.body or json.dumps([voice.to_json() for voice in VOICES])
        return web.Response(text=voices, content_type="application/json")


async def _recognise(request: web.Request) -> web.StreamResponse:
    def turns(channel: Channel) -> Turns:
        recognizer = request.app[ENGINES].recognizer
        return Recognitions(channel, request.app[SCRIPT], recognizer, request.path, request.query)

    return await _converse(request, "stt", turns)


async def _synthesise(request: web.Request) -> web.StreamResponse:
    def turns(channel: Channel) -> Turns:
        return Syntheses(channel, request.app[SCRIPT], request.app[ENGINES].synthesizer)

    return await _converse(request, "tts", turns)


async def _converse(request: web.Request, operation: str, turns_of: Callable[[Channel], Turns]) -> web.StreamResponse:
    refusal = await _refusal(request, operation)
    if refusal is not None:
        return refusal
    socket = web.WebSocketResponse(protocols=("USP",), max_msg_size=LARGEST_MESSAGE_BYTES)
    await socket.prepare(request)
    channel = Channel(socket, request.transport, request.headers.get("X-ConnectionId", ""))
    turns = turns_of(channel)
    reading = asyncio.create_task(_read(socket, channel, turns))
    either: set[asyncio.Future[Any]] = {reading, channel.ending}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        reading.cancel()
        await turns.stop()
    await asyncio.wait({reading})
    if not reading.cancelled():
        reading.result()
    if channel.ending.done():
        # While somebody reads, this would not wait for the client's close: what it had sent and nobody had read would
        # break the connection before it had the reason.
        code, reason = channel.ending.result()
        await socket.close(code=code, message=reason)
    return socket


async def _read(socket: web.WebSocketResponse, channel: Channel, turns: Turns) -> None:
    async for frame in socket:
        if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return
        channel.acknowledge()
        try:
            await turns.receive(Message.from_frame(frame.data))
        except Refused as reason:
            channel.end(BAD_REQUEST, str(reason))
            return


async def _refusal(request: web.Request, operation: str) -> web.Response | None:
    """Why the connection is not opened, after the time that opening it takes."""
    script = request.app[SCRIPT]
    step = script.upcoming(operation)
    await asyncio.sleep(step.connect_seconds)
    if not _authorized(request):
        step = Step(status=401)
    elif step.status is not None:
        script.next(operation)
    if step.status is None:
        return None
    with script.serving(operation) as served:
        served.outcome = f"status-{step.status}"
    return web.Response(status=step.status, headers=step.headers, text=step.body)


def _authorized(request: web.Request) -> bool:
    """It carries a key or a bearer token that will do."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    key = request.headers.get("Ocp-Apim-Subscription-Key") or (token if scheme.lower() == "bearer" else "")
    keys = request.app[KEYS]
    return bool(key) and (not keys or key in keys)
