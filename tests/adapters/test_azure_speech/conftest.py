"""A local Speech service, a monitor of its WebSockets, and adapters that use it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from emulators.script import Script, ServedRequest
from emulators.serving import serving
from emulators.speech import speech_app
from tests.adapters.test_azure_speech.engines import ENGINES
from voice_core.adapters.azure_speech.access import SpeechAccess
from voice_core.adapters.azure_speech.recognition import AzureSpeechToText
from voice_core.adapters.azure_speech.synthesis import AzureTextToSpeech

KEY = "a-secret-key"


class SocketMonitor:
    """Counts the WebSockets to the service, and can accept and close them instead of serving them."""

    def __init__(self) -> None:
        self.handshakes: list[Mapping[str, str]] = []
        """The request headers of each WebSocket."""
        self.open_count = 0
        self.close_code: int | None = None
        """The code with which new sockets are closed instead of being served; None serves them."""
        self.may_close = asyncio.Event()
        """Set by the test when such sockets are to be closed."""

    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if "Upgrade" not in request.headers:
            return await handler(request)
        self.handshakes.append(dict(request.headers))
        self.open_count += 1
        try:
            return await (
                handler(request) if self.close_code is None else self._accept_and_close(request, self.close_code)
            )
        finally:
            self.open_count -= 1

    async def _accept_and_close(self, request: web.Request, code: int) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("USP",))
        await socket.prepare(request)
        await self.may_close.wait()
        await socket.close(code=code)
        return socket


@pytest.fixture(name="script")
def _script() -> Script:
    return Script()


@pytest.fixture(name="sockets")
async def _sockets() -> SocketMonitor:
    return SocketMonitor()


@pytest.fixture(name="keys")
def _keys() -> frozenset[str]:
    """The keys and tokens that the service accepts."""
    return frozenset({KEY})


@pytest.fixture(name="url")
async def _url(script: Script, sockets: SocketMonitor, keys: frozenset[str]) -> AsyncIterator[str]:
    app = speech_app(ENGINES, script, keys)

    @web.middleware
    async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await sockets.handle(request, handler)

    app.middlewares.append(watch)
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
    adapters: list[AzureSpeechToText] = []

    def make(access: SpeechAccess = access, **settings: Any) -> AzureSpeechToText:
        adapters.append(AzureSpeechToText(access, **settings))
        return adapters[-1]

    yield make
    for stt in adapters:
        await stt.close()


@pytest.fixture(name="make_tts")
async def _make_tts(access: SpeechAccess) -> AsyncIterator[MakeTts]:
    adapters: list[AzureTextToSpeech] = []

    def make(access: SpeechAccess = access, **settings: Any) -> AzureTextToSpeech:
        adapters.append(AzureTextToSpeech(access, **settings))
        return adapters[-1]

    yield make
    for tts in adapters:
        await tts.close()


@pytest.fixture(name="stt")
def _stt(make_stt: MakeStt) -> AzureSpeechToText:
    return make_stt()


@pytest.fixture(name="tts")
def _tts(make_tts: MakeTts) -> AzureTextToSpeech:
    return make_tts()


def requests_of(script: Script, operation: str) -> list[ServedRequest]:
    """The requests for *operation* that the service has received."""
    return [served for served in script.served if served.operation == operation]
