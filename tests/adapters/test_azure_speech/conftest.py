"""A Speech service on this machine, a door in front of it, and adapters that use it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from emulators.script import Script, Served
from emulators.serving import serving
from emulators.speech import speech_app
from tests.adapters.test_azure_speech.engines import ENGINES
from voice_core.adapters.azure_speech.access import SpeechAccess
from voice_core.adapters.azure_speech.recognition import AzureSpeechToText
from voice_core.adapters.azure_speech.synthesis import AzureTextToSpeech

KEY = "a-secret-key"


class Door:
    """Watches the sockets that come in, and can close them on whoever waits idly behind them."""

    def __init__(self) -> None:
        self.entered: list[Mapping[str, str]] = []
        """Headers of each."""
        self.inside = 0
        self.turn_out: int | None = None
        """Close code for sockets that are to be accepted and closed instead of being served."""
        self.may_close = asyncio.Event()

    async def let_in(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if "Upgrade" not in request.headers:
            return await handler(request)
        self.entered.append(dict(request.headers))
        self.inside += 1
        try:
            return await (handler(request) if self.turn_out is None else self._show_out(request, self.turn_out))
        finally:
            self.inside -= 1

    async def _show_out(self, request: web.Request, code: int) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("USP",))
        await socket.prepare(request)
        await self.may_close.wait()
        await socket.close(code=code)
        return socket


@pytest.fixture(name="script")
def _script() -> Script:
    return Script()


@pytest.fixture(name="door")
async def _door() -> Door:
    return Door()


@pytest.fixture(name="keys")
def _keys() -> frozenset[str]:
    """The keys and tokens that the service accepts."""
    return frozenset({KEY})


@pytest.fixture(name="url")
async def _url(script: Script, door: Door, keys: frozenset[str]) -> AsyncIterator[str]:
    app = speech_app(ENGINES, script, keys)

    @web.middleware
    async def at_the_door(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await door.let_in(request, handler)

    app.middlewares.append(at_the_door)
    async with serving(app) as url:
        yield url


@pytest.fixture(name="access")
async def _access(url: str) -> AsyncIterator[SpeechAccess]:
    access = SpeechAccess(url, key=KEY)
    yield access
    await access.close()


MakeStt = Callable[..., AzureSpeechToText]
MakeTts = Callable[..., AzureTextToSpeech]


@pytest.fixture(name="make_stt")
async def _make_stt(access: SpeechAccess) -> AsyncIterator[MakeStt]:
    made: list[AzureSpeechToText] = []

    def make(access: SpeechAccess = access, **settings: Any) -> AzureSpeechToText:
        made.append(AzureSpeechToText(access, **settings))
        return made[-1]

    yield make
    for stt in made:
        await stt.close()


@pytest.fixture(name="make_tts")
async def _make_tts(access: SpeechAccess) -> AsyncIterator[MakeTts]:
    made: list[AzureTextToSpeech] = []

    def make(access: SpeechAccess = access, **settings: Any) -> AzureTextToSpeech:
        made.append(AzureTextToSpeech(access, **settings))
        return made[-1]

    yield make
    for tts in made:
        await tts.close()


@pytest.fixture(name="stt")
def _stt(make_stt: MakeStt) -> AzureSpeechToText:
    return make_stt()


@pytest.fixture(name="tts")
def _tts(make_tts: MakeTts) -> AzureTextToSpeech:
    return make_tts()


def asked(script: Script, operation: str) -> list[Served]:
    """The requests of *operation* that the service has had."""
    return [served for served in script.served if served.operation == operation]
