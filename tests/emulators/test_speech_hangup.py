"""Disconnects and malformed messages of clients do not disturb the Speech emulator."""

import asyncio
import gc
import json
import os
import signal
from collections.abc import AsyncIterator

import aiohttp
import pytest

from emulators.script import Script, Step
from emulators.serving import serving
from emulators.speech import speech_app
from emulators.speech.engines import Engines
from emulators.speech.processes.process import EngineProcess
from emulators.speech.recognizers.sphinx import BEGIN, COMMAND, Sphinx
from emulators.speech.scripted_recognition import ToneSynthesizer
from fakes.eventually import eventually
from tests.emulators.speech_client import ssml

STT, TTS = "/stt/speech/universal/v2", "/tts/cognitiveservices/websocket/v1"
KEY = {"Ocp-Apim-Subscription-Key": "any"}
REQUEST = "0123456789abcdef0123456789abcdef"


@pytest.fixture(name="script")
def _script() -> Script:
    return Script()


@pytest.fixture(name="url")
async def _url(script: Script) -> AsyncIterator[str]:
    async with serving(speech_app(Engines(Sphinx(), ToneSynthesizer()), script)) as url:
        yield url


def text_frame(path: str, body: str) -> str:
    return f"Path:{path}\r\nX-RequestId:{REQUEST}\r\n\r\n{body}"


def audio_frame(body: bytes) -> bytes:
    head = f"Path:audio\r\nX-RequestId:{REQUEST}\r\n".encode()
    return len(head).to_bytes(2, "big") + head + body


async def test_a_broken_connection_ends_the_turn(url: str, script: Script, caplog: pytest.LogCaptureFixture) -> None:
    """A connection that breaks during synthesis ends its turn, without a line in the log."""
    for _ in range(5):
        async with aiohttp.ClientSession(url, headers=KEY) as client:
            socket = await client.ws_connect(TTS)
            await socket.send_str(text_frame("ssml", ssml('<break time="20s"/>' * 20)))
            assert "turn.start" in await socket.receive_str()
    await eventually(lambda: len(script.served) == 5 and all(served.ended for served in script.served))
    assert {served.outcome for served in script.served} == {"cancelled"}
    assert not caplog.records


async def test_a_closed_socket_ends_the_turn(url: str, script: Script, caplog: pytest.LogCaptureFixture) -> None:
    """A client that closes its socket during a turn ends the turn."""
    script.add("tts", Step(first_seconds=30.0))
    async with aiohttp.ClientSession(url, headers=KEY) as client, client.ws_connect(TTS) as socket:
        await socket.send_str(text_frame("ssml", ssml("hello")))
        assert "turn.start" in await socket.receive_str()
    await eventually(lambda: script.served[0].ended)
    assert script.served[0].outcome == "cancelled"
    assert not caplog.records


@pytest.mark.parametrize(
    ("path", "frames", "reason"),
    [
        (STT, ["no headers"], "a text message needs a blank line after its headers"),
        (STT, ["X-RequestId:1\r\n\r\n{}"], "a message needs a Path"),
        (STT, [b"\xff\xff"], "a binary message ends within its headers"),
        (STT, [text_frame("speech.context", "{")], "speech.context holds no JSON"),
        (STT, [text_frame("speech.context", "[]")], "speech.context holds no object"),
        (STT, [audio_frame(b"RIFF")], "audio begins with a WAV header"),
        (STT, [audio_frame(b"RIFF\0\0\0\0WAVEfmt ")], "the WAV header has no format or no data"),
        (TTS, [text_frame("synthesis.context", "7"), text_frame("ssml", "")], "synthesis.context holds no object"),
    ],
)
async def test_malformed_messages_are_refused(
    url: str, path: str, frames: list[str | bytes], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A message that violates the protocol closes the socket with the reason."""
    async with aiohttp.ClientSession(url, headers=KEY) as client, client.ws_connect(path) as socket:
        for frame in frames:
            await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))
        closed = await anext(message async for message in _messages(socket) if message.type == aiohttp.WSMsgType.CLOSE)
        assert (closed.data, closed.extra) == (1007, reason)
    assert not caplog.records


async def test_unknown_messages_are_ignored(url: str) -> None:
    """Messages of other kinds, such as the SDK's telemetry, have no effect."""
    async with aiohttp.ClientSession(url, headers=KEY) as client, client.ws_connect(TTS) as socket:
        await socket.send_str(text_frame("telemetry", json.dumps({"ReceivedMessages": []})))
        await socket.send_str(text_frame("ssml", ssml("hello")))
        assert "turn.start" in await socket.receive_str()


async def test_an_abandoned_recogniser_ends_silently(caplog: pytest.LogCaptureFixture) -> None:
    """When a process is killed after its client has disconnected, nothing is logged."""
    worker = await EngineProcess.start(COMMAND)
    os.kill(worker.pid, signal.SIGSTOP)
    request = asyncio.create_task(worker.call(BEGIN, b"{}"))
    await asyncio.sleep(0)
    request.cancel()
    await worker.stop()
    await eventually(lambda: asyncio.all_tasks() == {asyncio.current_task()})
    del request
    gc.collect()
    assert not caplog.records


async def _messages(socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[aiohttp.WSMessage]:
    while True:
        yield await socket.receive()
