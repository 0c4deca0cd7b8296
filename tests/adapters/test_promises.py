"""Promises that every provider must fulfil: the emulators, and with ``-m live`` real Azure."""

import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from emulators.cosmos import LOCAL_KEY, cosmos_app
from emulators.openai import openai_app
from emulators.serving import serving
from emulators.speech import speech_app
from voice_core.audio.pcm_layout import RawPcm
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import InvalidInput, NoSpeech, NotFound, VoiceError
from voice_core.domain.speech import Hints, Transcript
from voice_core.ports.conversations import Conversations
from voice_core.settings import Settings
from voice_core.wiring import App

HELLO = Path(__file__).parent.parent.parent / "samples" / "hello.wav"
"""A voice says: Hello. What is the weather like today?"""
KEY = "a-key-of-the-emulators"
SILENCE = bytes(32_000)
"""One second of PCM at 16 kHz, mono 16-bit."""


@pytest.fixture(params=["emulated", pytest.param("live", marks=pytest.mark.live)])
async def app(request: pytest.FixtureRequest) -> AsyncIterator[App]:
    """The product's adapters, with the emulators or with the services that the environment names."""
    async with AsyncExitStack() as stack:
        live = request.param == "live"
        app = App(Settings.from_environ(os.environ) if live else await _emulated(stack))
        stack.push_async_callback(app.close)
        yield app


async def _emulated(stack: AsyncExitStack) -> Settings:
    apps = speech_app(keys=[KEY]), openai_app(keys=[KEY]), cosmos_app(None)
    speech, openai, cosmos = [await stack.enter_async_context(serving(app)) for app in apps]
    return Settings(
        speech_endpoint=speech,
        speech_key=KEY,
        openai_endpoint=f"{openai}/v1/",
        openai_key=KEY,
        cosmos_endpoint=cosmos,
        cosmos_key=LOCAL_KEY,
        cosmos_create=True,
        auth_mode="none",
        stt_seconds=60,  # the offline recogniser loads its model at its first utterance
    )


@pytest.fixture
async def user(app: App) -> AsyncIterator[str]:
    """A new user; their conversations are deleted after the test."""
    user_id = f"test-{uuid4().hex}"
    yield user_id
    page = await app.conversations.list(user_id, 100, None)
    for conversation in page.items:
        await app.conversations.delete(user_id, conversation.id)


async def test_words_are_transcribed(app: App) -> None:
    """A recording is transcribed to its words, with interims before the final transcript."""
    *interims, last = [result async for result in app.stt.transcribe(_recorded(app), Hints(languages=("en-US",)))]

    assert interims
    assert isinstance(last, Transcript)
    assert "weather" in last.text.lower()
    assert last.language == "en-US"
    assert last.duration_ms == pytest.approx(2500, abs=1500)


async def test_silence_is_no_speech(app: App) -> None:
    """The recogniser reports silence as no speech; it does not invent words."""
    with pytest.raises(NoSpeech):
        _ = [result async for result in app.stt.transcribe(_chunks(SILENCE), Hints())]


async def test_synthesised_words_are_transcribed_again(app: App) -> None:
    """Synthesised speech consists of complete samples, has a plausible length, and is transcribed correctly."""
    chunks = [pcm async for pcm in app.tts.synthesize("What is the weather like today?", None)]
    decoding = app.decoding(RawPcm(rate=24_000), "user")
    *_, result = [item async for item in app.stt.transcribe(decoding.pcm(_chunks(*chunks)), Hints())]

    assert all(len(pcm) % 2 == 0 for pcm in chunks)
    assert 0.8 < sum(map(len, chunks)) / 48_000 < 6
    assert "weather" in result.text.lower()


async def test_the_default_voice_exists(app: App) -> None:
    """The service has the voice that the settings name."""
    assert app.settings.speech_voice in [voice.name for voice in await app.tts.voices()]


async def test_an_unknown_voice_is_refused(app: App) -> None:
    """A voice that the service does not have is reported as the caller's mistake."""
    with pytest.raises(InvalidInput) as refused:
        _ = [pcm async for pcm in app.tts.synthesize("Hello.", "xx-XX-NobodyNeural")]

    assert refused.value.code == "voice-unknown"


async def test_the_assistant_replies_in_pieces(app: App) -> None:
    """A reply to an input with history arrives in several pieces."""
    before = Turn("t", "c", "My name is Ada.", "Hello Ada.", datetime.now(UTC))
    pieces = [piece async for piece in app.assistant.reply("Count from one to ten, in words.", [before])]

    assert len(pieces) > 1
    assert "".join(pieces).strip()


async def test_a_conversation_is_stored_and_deleted(app: App, user: str) -> None:
    """Turns are stored once each, read in order by their owner alone, and deleted one by one or all together."""
    store: Conversations = app.conversations
    conversation = uuid4().hex
    turns = [Turn(uuid4().hex, conversation, f"said {n}", f"reply {n}", datetime.now(UTC)) for n in range(3)]
    for turn in (*turns, turns[-1]):
        await store.append(user, turn)

    assert [turn.id for turn in await store.recent(user, conversation, 2)] == [turn.id for turn in turns[1:]]
    assert [found.turn_count for found in (await store.list(user, 10, None)).items] == [3]
    with pytest.raises(NotFound):
        await store.recent(f"{user}-other", conversation, 2)

    await store.forget(user, conversation, turns[1].id)
    assert [turn.id for turn in await store.recent(user, conversation, 9)] == [turns[0].id, turns[2].id]

    await store.delete(user, conversation)
    with pytest.raises(NotFound):
        await store.recent(user, conversation, 2)
    await store.delete(user, conversation)


async def test_every_dependency_passes_its_check(app: App) -> None:
    """The checks behind /health?deep=1 pass."""
    for dependency in app.dependencies.values():
        await dependency.check()


@pytest.mark.parametrize("name", ["stt", "tts", "assistant"])
async def test_a_wrong_key_is_not_retryable(app: App, name: str) -> None:
    """A key that is not accepted is a typed error that is not retryable."""
    refused = App(replace(app.settings, speech_key="wrong", openai_key="wrong"))
    try:
        with pytest.raises(VoiceError) as error:
            await refused.dependencies[name].check()
    finally:
        await refused.close()

    assert (error.value.stage, error.value.retryable) == (name, False)


def _recorded(app: App) -> AsyncGenerator[bytes]:
    return app.decoding(None, "user").pcm(_chunks(HELLO.read_bytes()))


async def _chunks(*chunks: bytes) -> AsyncGenerator[bytes]:
    for chunk in chunks:
        yield chunk
