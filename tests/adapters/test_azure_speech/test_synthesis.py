"""Text to speech: sound, voices, and connections."""

import asyncio
from contextlib import aclosing

import pytest
from aiohttp import WSMsgType, web

from emulators.script import Script, Step
from emulators.serving import serving
from emulators.speech.messages import Message, audio_frame, document_frame
from emulators.speech.scripted_recognition import SECONDS_PER_WORD
from fakes.eventually import HANG_SECONDS, eventually
from tests.adapters.test_azure_speech.conftest import KEY, MakeTts, SocketMonitor, requests_of
from voice_core.adapters.azure_speech.access import SpeechAccess
from voice_core.adapters.azure_speech.synthesis import AzureTextToSpeech
from voice_core.domain.audio import SPEECH_RATE, seconds
from voice_core.domain.errors import InvalidInput, StageFailed
from voice_core.ports.providers import Checkable, TextToSpeech

TEXT = "It is sunny in Lisbon today, with a light breeze coming in from the sea."
TEXT_SECONDS = SECONDS_PER_WORD * 15
"""The length of the tones that the emulator synthesises for `TEXT`, which has 15 words."""


async def speech(tts: AzureTextToSpeech, text: str = TEXT, voice: str | None = None) -> bytes:
    return b"".join([chunk async for chunk in tts.synthesize(text, voice)])


def test_the_adapter_implements_the_ports(tts: AzureTextToSpeech) -> None:
    """The adapter has the methods that the use cases call; mypy checks their types here."""
    ports: tuple[TextToSpeech, Checkable] = (tts, tts)
    assert all(ports)


async def test_a_text_is_spoken(tts: AzureTextToSpeech, script: Script) -> None:
    """All of a text becomes raw PCM at 24 kHz, in the default voice."""
    pcm = await speech(tts)
    assert seconds(len(pcm), SPEECH_RATE) == pytest.approx(TEXT_SECONDS, abs=0.01)
    facts = requests_of(script, "tts")[0].facts
    assert facts["format"] == "raw-24khz-16bit-mono-pcm"
    assert facts["voice"] == "en-US-AvaMultilingualNeural"


async def test_speech_is_streamed_while_it_is_synthesised(tts: AzureTextToSpeech, script: Script) -> None:
    """The first chunk arrives long before the last one is synthesised."""
    script.add("tts", Step(real_time_factor=10.0))
    done = [requests_of(script, "tts")[0].ended is not None async for _ in tts.synthesize(TEXT, None)]
    assert not done[0]
    assert len(done) > 20


async def test_chunks_contain_complete_samples(sockets: SocketMonitor) -> None:
    """Chunks that the service splits within a sample are rearranged to complete samples of 2 bytes."""
    pieces = [b"\1", b"\2\3\4", b"\5\6", b"\7", b"\10"]

    async def speak(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("USP",))
        await socket.prepare(request)
        async for frame in socket:
            message = Message.from_frame(frame.data) if frame.type == WSMsgType.TEXT else None
            if message and message.path == "ssml":
                await socket.send_str(document_frame("turn.start", message.request_id, {}))
                for piece in pieces:
                    await socket.send_bytes(audio_frame(message.request_id, piece))
                await socket.send_str(document_frame("turn.end", message.request_id, {}))
        return socket

    app = web.Application()
    app.router.add_get("/tts/cognitiveservices/websocket/v1", speak)
    async with serving(app) as url:
        access = SpeechAccess(url, key=KEY)
        tts = AzureTextToSpeech(access)
        chunks = [chunk async for chunk in tts.synthesize(TEXT, None)]
        await tts.close()
        await access.close()
    assert b"".join(chunks) == b"\1\2\3\4\5\6\7\10"
    assert all(chunk and len(chunk) % 2 == 0 for chunk in chunks)


async def test_markup_in_a_text_is_escaped(tts: AzureTextToSpeech, script: Script) -> None:
    """Characters that have a meaning in XML are spoken, and not interpreted."""
    await speech(tts, 'Is 1 < 2 & "3" > 2? </voice><break time="9s"/>\x00\x0b')
    ssml = requests_of(script, "tts")[0].facts["ssml"]
    assert '1 &lt; 2 &amp; "3" &gt; 2? &lt;/voice&gt;' in ssml
    assert requests_of(script, "tts")[0].outcome == "done"


@pytest.mark.parametrize("text", ["", "  \n", "\x00\x1f"])
async def test_a_text_without_words_is_not_sent(tts: AzureTextToSpeech, sockets: SocketMonitor, text: str) -> None:
    """A text without words yields no sound, and opens no connection."""
    assert await speech(tts, text) == b""
    assert not sockets.handshakes


async def test_a_connection_is_used_again(tts: AzureTextToSpeech, sockets: SocketMonitor) -> None:
    """Successive sentences use one connection, whatever their voices."""
    await tts.warm(None)
    for voice in (None, "de-DE-KatjaNeural", "en-GB-RyanNeural"):
        assert await speech(tts, "Hello.", voice)
    assert len(sockets.handshakes) == 1


@pytest.mark.parametrize("code", [1000, 1001, 1011])
async def test_a_connection_closed_as_a_text_begins_costs_nothing(
    tts: AzureTextToSpeech, sockets: SocketMonitor, code: int
) -> None:
    """When the service closes an idle connection just as it is used, the text is spoken all the same."""
    sockets.close_code = code
    await tts.warm(None)
    sockets.close_code = None
    sockets.may_close.set()
    async with asyncio.timeout(HANG_SECONDS):
        assert await speech(tts)


async def test_many_at_once(tts: AzureTextToSpeech) -> None:
    """Twenty texts are spoken at the same time, each completely."""
    texts = [f"This is number {n}, and it is{' very' * n} loud." for n in range(20)]
    spoken = await asyncio.gather(*(speech(tts, text) for text in texts))
    for text, pcm in zip(texts, spoken, strict=True):
        assert seconds(len(pcm), SPEECH_RATE) == pytest.approx(SECONDS_PER_WORD * len(text.split()), abs=0.03)


async def test_an_interrupted_synthesis_is_stopped(
    tts: AzureTextToSpeech, script: Script, sockets: SocketMonitor
) -> None:
    """When the user interrupts, the synthesis is stopped, and a connection is opened for the next text."""
    script.add("tts", Step(real_time_factor=1.0))
    async with aclosing(tts.synthesize(TEXT, None)) as chunks:
        await anext(chunks)
    await eventually(lambda: requests_of(script, "tts")[0].outcome == "cancelled")
    await eventually(lambda: len(sockets.handshakes) == 2)
    assert await speech(tts, "Never mind.")
    assert len(sockets.handshakes) == 2


async def test_cancelling_before_the_first_chunk(tts: AzureTextToSpeech, script: Script) -> None:
    """A synthesis that is cancelled before its first chunk is cancelled at the service."""
    script.add("tts", Step(first_seconds=30.0))
    turn = asyncio.create_task(speech(tts))
    await eventually(lambda: requests_of(script, "tts"))
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    await eventually(lambda: requests_of(script, "tts")[0].outcome == "cancelled")


async def test_a_warmed_turn_opens_no_connection(tts: AzureTextToSpeech, script: Script) -> None:
    """The next turn uses the connection that `warm` opened."""
    await tts.warm(None)
    script.add("tts", Step(connect_seconds=30.0, repeat=True))
    async with asyncio.timeout(HANG_SECONDS):
        await speech(tts)


@pytest.mark.parametrize("code", [1000, 1001])
async def test_a_connection_closed_while_idle_costs_no_turn(
    tts: AzureTextToSpeech, sockets: SocketMonitor, code: int
) -> None:
    """When the service has closed an idle connection, the turn opens a new one."""
    sockets.close_code = code
    await tts.warm(None)
    sockets.close_code = None
    sockets.may_close.set()
    await eventually(lambda: not sockets.open_count)
    assert await speech(tts)


async def test_idle_connections_are_closed(make_tts: MakeTts, sockets: SocketMonitor) -> None:
    """An unused connection is closed after *keep_seconds*, or when the adapter is closed."""
    tts = make_tts(keep_seconds=0.1)
    await speech(tts, "Hello.")
    assert sockets.open_count == 1
    await eventually(lambda: not sockets.open_count)
    other = make_tts()
    await speech(other, "Hello.")
    await other.close()
    await eventually(lambda: not sockets.open_count)


async def test_the_voices_are_listed(tts: AzureTextToSpeech, script: Script) -> None:
    """All voices are listed with language, gender and name; concurrent callers share one request to the service."""
    lists = await asyncio.gather(*(tts.voices() for _ in range(5)), tts.voices())
    ava = next(voice for voice in lists[0] if voice.name == "en-US-AvaMultilingualNeural")
    assert (ava.language, ava.gender, ava.display_name) == ("en-US", "Female", "Ava Multilingual")
    assert lists[0] == lists[-1]
    assert len(requests_of(script, "voices")) == 1


async def test_a_failed_list_is_requested_again(tts: AzureTextToSpeech, script: Script) -> None:
    """A failure to list the voices is not cached."""
    script.add("voices", Step(status=503))
    with pytest.raises(StageFailed):
        await tts.voices()
    assert await tts.voices()


async def test_an_unknown_voice_is_refused(tts: AzureTextToSpeech, script: Script) -> None:
    """An unknown voice is refused before anything is synthesised, and the error names voices of the same language."""
    with pytest.raises(InvalidInput) as refusal:
        await speech(tts, voice="en-US-AvaNeurla")
    error = refusal.value
    assert (error.code, error.stage) == ("voice-unknown", "tts")
    assert error.extra["voices"][0] == "en-US-AvaNeural"
    assert "en-US-AvaNeural" in error.detail
    assert not requests_of(script, "tts")
    with pytest.raises(InvalidInput, match=r"no voice 'tlh-Kahless'\.$"):
        await tts.warm("tlh-Kahless")


async def test_without_a_list_the_service_decides(tts: AzureTextToSpeech, script: Script) -> None:
    """If the voices cannot be listed, no voice is refused; the service decides."""
    script.add("voices", Step(status=503, repeat=True))
    assert await speech(tts, voice="de-DE-KatjaNeural")
    with pytest.raises(StageFailed) as failure:
        await speech(tts, voice="xx-XX-NobodyNeural")
    assert not failure.value.retryable


async def test_the_default_voice_needs_no_list(tts: AzureTextToSpeech, script: Script) -> None:
    """The default voice is used without a check against the list, so that no turn waits for it."""
    await speech(tts)
    await speech(tts, voice="en-US-AvaMultilingualNeural")
    assert not requests_of(script, "voices")
