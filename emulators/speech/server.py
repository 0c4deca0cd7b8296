"""The emulator of the Speech service as an aiohttp application.

Use it with `SpeechConfig(endpoint=<base URL>, subscription=<anything>)`. It also serves the list of voices.

Steps of a script:

* A turn takes the next ``stt`` or ``tts`` step when it begins: with its first audio, or its SSML. A connection that is
  opened early and stays idle takes none.
* When a connection is opened, ``connect_seconds`` and ``status`` of the next step apply. A wait leaves the step to the
  turn; a refusal uses it up, so the SDK's own retry gets the step after it.
* For a turn on a connection that is already open, ``connect_seconds`` has no effect, and ``status`` closes the socket
  with the code that the SDK reports as that error (400: 1007, 429: 4429) or as a failing service (1011).
* ``first_seconds`` includes the time the engine takes. ``drop_after`` counts interims, phrases and chunks of speech.
* ``body`` replaces the phrase of a recognition, the list of voices, and the text of a refusal.
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
from emulators.speech.refusals import RequestRefused
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
    """The service as an application; the default of *engines* are those that the environment names.

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
    await app[ENGINES].close()


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
        engine_of = request.app[ENGINES].synthesizer.engine_of
        voices = step.body or json.dumps([voice.to_json(engine_of(voice)) for voice in VOICES])
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
        # The reader has ended: beside it, `close` would not wait for the client's close frame, and messages of the
        # client that were left unread would reset the connection before the client had the reason.
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
        except RequestRefused as reason:
            channel.end(BAD_REQUEST, str(reason))
            return


async def _refusal(request: web.Request, operation: str) -> web.Response | None:
    """The response that refuses the connection, or None to open it; returns after the step's ``connect_seconds``."""
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
    """Whether the request has an accepted key or bearer token."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    key = request.headers.get("Ocp-Apim-Subscription-Key") or (token if scheme.lower() == "bearer" else "")
    keys = request.app[KEYS]
    return bool(key) and (not keys or key in keys)
