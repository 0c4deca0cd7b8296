"""The Speech emulator's engines by availability: the switch between them, without a restart."""

from pathlib import Path

import aiohttp
import pytest

from emulators.serving import serving
from emulators.speech import speech_app
from emulators.speech.engine_choice import engines_from
from emulators.speech.engines import EngineMissing, RecognitionResult
from emulators.speech.processes.availability import RETRY_SECONDS, Availability
from emulators.speech.processes.process import EngineDied
from emulators.speech.recognizers.whisper import Whisper
from fakes.eventually import eventually
from fakes.sound import silence, voice_like
from tests.emulators import scripted_engine
from tests.emulators.engine_pair import FIXED, LIGHT, NEURAL, scripted_engines
from tests.emulators.scripted_engine import DIE, ECHO, TRANSCRIPT, WEIGHTS
from tests.emulators.speech_client import config, recognise, speak, ssml

FATAL = "a text that a voice cannot read"
SPOKEN = "even number!"
"""A scripted engine's speech is the text's own bytes, two a sample."""


async def transcript(url: str, language: str = "en-US") -> str:
    call = await recognise(config(url), voice_like(1.0), languages=[language])
    return " ".join(final.text for final in call.finals)


async def spoken_by(url: str, voice: str = "en-US-AvaMultilingualNeural") -> str:
    """The engine that speaks, by the sound that it makes."""
    return "scripted" if (await speak(config(url), ssml(SPOKEN, voice))).pcm == SPOKEN.encode() else "light"


async def local_names(url: str) -> list[str]:
    """The names in the emulator's list of voices."""
    key = {"Ocp-Apim-Subscription-Key": "any"}
    async with (
        aiohttp.ClientSession(url, headers=key) as client,
        client.get("/cognitiveservices/voices/list") as listed,
    ):
        return [voice["LocalName"] for voice in await listed.json()]


async def test_neural_engines_serve_where_they_can() -> None:
    """They recognise and speak English; other languages and male voices are the light engines'."""
    said: list[str] = []
    engines = scripted_engines()
    async with serving(speech_app(engines)) as url:
        await engines.start(said.append)
        assert [await transcript(url), await transcript(url, "fr-FR")] == [TRANSCRIPT, FIXED]
        assert [await spoken_by(url), await spoken_by(url, "en-US-AndrewMultilingualNeural")] == ["scripted", "light"]
        assert (await local_names(url))[:2] == ["Ava Multilingual (hibari heart)", "Andrew Multilingual (a tone)"]
    assert said == [NEURAL]


async def test_the_first_request_waits_until_it_is_known_which_engine_serves() -> None:
    """Without a start, the first turn finds out whether the neural engines can run."""
    async with serving(speech_app(scripted_engines())) as url:
        assert await transcript(url) == TRANSCRIPT
        assert await spoken_by(url) == "scripted"


async def test_a_missing_package_means_the_light_engines() -> None:
    """They serve, and the output names the package."""
    said: list[str] = []
    engines = scripted_engines(package="no_such_package")
    async with serving(speech_app(engines)) as url:
        await engines.start(said.append)
        assert await transcript(url) == FIXED
        assert await spoken_by(url) == "light"
        assert (await local_names(url))[0] == "Ava Multilingual (a tone)"
    reason = "no_such_package is not installed"
    assert said == [f"{LIGHT} Not in use: whisper ({reason}), hibari ({reason})."]


@pytest.mark.parametrize("weights", [b"other weights", None])
async def test_other_weights_mean_the_light_engines(tmp_path: Path, weights: bytes | None) -> None:
    """Weights with another checksum are not used, nor missing ones; the output names the file."""
    if weights is not None:
        (tmp_path / "model.bin").write_bytes(weights)
    said: list[str] = []
    engines = scripted_engines(weights=str(tmp_path))
    async with serving(speech_app(engines)) as url:
        await engines.start(said.append)
        assert await transcript(url) == FIXED
    reason = "has the SHA-256" if weights else "cannot be read: No such file or directory"
    assert said[0].startswith(f"{LIGHT} Not in use: whisper ({tmp_path}/model.bin {reason}")


async def test_the_right_weights_are_used(tmp_path: Path) -> None:
    """Weights with the right checksum serve."""
    (tmp_path / "model.bin").write_bytes(WEIGHTS)
    engines = scripted_engines(weights=str(tmp_path))
    async with serving(speech_app(engines)) as url:
        assert await transcript(url) == TRANSCRIPT


async def test_engines_switch_without_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is installed later serves after the next start, in the same emulator; the output says so."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    said: list[str] = []
    engines = scripted_engines(package="late_package")
    engines.hold("being installed")
    async with serving(speech_app(engines)) as url:
        assert engines.description == f"{LIGHT} Not in use: whisper (being installed), hibari (being installed)."
        assert await transcript(url) == FIXED
        (tmp_path / "late_package.py").write_text("")
        assert await transcript(url) == FIXED
        await engines.start(said.append)
        assert await transcript(url) == TRANSCRIPT
        assert await spoken_by(url) == "scripted"
    assert said == [NEURAL]


async def test_engines_that_vanish_are_replaced_by_light_ones(tmp_path: Path) -> None:
    """When a process dies and its weights have changed since, the light engine serves, and the output says so."""
    (tmp_path / "model.bin").write_bytes(WEIGHTS)
    said: list[str] = []
    engines = scripted_engines(weights=str(tmp_path))
    async with serving(speech_app(engines)) as url:
        await engines.start(said.append)
        assert await transcript(url) == TRANSCRIPT
        (tmp_path / "model.bin").write_bytes(b"other weights")
        with pytest.raises((EngineDied, EngineMissing)):
            await engines.neural[0].pool.call(DIE, b"")
        await eventually(lambda: engines.neural[0].pool.missing)
        assert await transcript(url) == FIXED
        assert await spoken_by(url) == "scripted"
    assert said[0] == NEURAL
    assert said[1].startswith("Engines: a fixed text recognises, hibari heart speaks")
    assert "has the SHA-256" in said[1]


async def test_engines_that_vanished_are_tried_again(tmp_path: Path) -> None:
    """A replacement that cannot be loaded leaves the light engine; a later request begins a new attempt."""
    (tmp_path / "model.bin").write_bytes(WEIGHTS)
    time = [0.0]
    engine = scripted_engine.pool(weights=str(tmp_path))
    availability = Availability(engine, "whisper", clock=lambda: time[0])
    assert await availability.serves()
    await engine.call(ECHO, b"")
    (tmp_path / "model.bin").write_bytes(b"other weights")
    with pytest.raises((EngineDied, EngineMissing)):
        await engine.call(DIE, b"")
    await eventually(lambda: engine.missing)
    (tmp_path / "model.bin").write_bytes(WEIGHTS)
    time[0] = RETRY_SECONDS - 1
    assert not await availability.serves()
    time[0] = RETRY_SECONDS
    assert not await availability.serves()
    await eventually(lambda: availability.serving)
    assert await availability.serves()
    await availability.close()


async def test_a_text_that_ends_the_neural_voice_is_spoken_by_a_light_one() -> None:
    """hibari's process may die of a text, as of a number of 40 digits; the caller hears the text all the same."""
    engines = scripted_engines(fatal=FATAL)
    async with serving(speech_app(engines)) as url:
        assert (await speak(config(url), ssml(FATAL))).pcm
        assert await spoken_by(url) == "scripted"


async def test_required_engines_refuse_what_they_cannot_serve() -> None:
    """If neural engines are required and missing, English is refused with the reason; other languages are served."""
    said: list[str] = []
    engines = scripted_engines(required=True, package="no_such_package")
    async with serving(speech_app(engines)) as url:
        await engines.start(said.append)
        call = await recognise(config(url), voice_like(1.0))
        speech = await speak(config(url), ssml(SPOKEN))
        assert "no_such_package is not installed" in call.failure.error_details
        assert "no_such_package is not installed" in speech.failure.error_details
        assert await transcript(url, "fr-FR") == FIXED
    assert said[0].startswith(
        "Engines: no engine recognises English, no engine speaks English. Not in use: whisper (no_such"
    )


async def test_silence_is_not_transcribed() -> None:
    """Whisper's process gets no phrase without speech, so a pause before the end costs nothing."""
    engine = scripted_engine.pool()
    async with Whisper(pool=engine).listening(16_000, (), "en-US") as recognition:
        await recognition.hear(silence(1.0))
        assert await recognition.finish() == RecognitionResult()
        assert not engine.name
        await recognition.hear(voice_like(1.0))
        assert (await recognition.finish()).display == TRANSCRIPT
    await engine.close()


@pytest.mark.parametrize(
    ("settings", "neural"),
    [
        ({}, 2),
        ({"ENGINES": "auto"}, 2),
        ({"ENGINES": "", "SPEECH_STT_ENGINE": "", "SPEECH_TTS_ENGINE": ""}, 2),
        ({"ENGINES": "neural"}, 2),
        ({"ENGINES": "light"}, 0),
        ({"SPEECH_STT_ENGINE": "pocketsphinx"}, 1),
        ({"SPEECH_TTS_ENGINE": "espeak-ng"}, 1),
        ({"ENGINES": "light", "SPEECH_TTS_ENGINE": "hibari"}, 1),
        ({"ENGINES": "light", "SPEECH_STT_ENGINE": "faster-whisper", "SPEECH_STT_MODEL": "base"}, 1),
    ],
    ids=str,
)
def test_settings_choose_engines(settings: dict[str, str], neural: int) -> None:
    """ENGINES chooses both, and a setting of one engine takes precedence."""
    assert len(engines_from(settings).neural) == neural


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"ENGINES": "best"}, "ENGINES knows light, neural and auto, not best"),
        ({"SPEECH_STT_ENGINE": "ear"}, "SPEECH_STT_ENGINE knows"),
        ({"SPEECH_TTS_ENGINE": "mouth"}, "SPEECH_TTS_ENGINE knows"),
        ({"SPEECH_STT_ENGINE": "vosk"}, "vosk needs its model in SPEECH_STT_MODEL"),
        ({"SPEECH_STT_ENGINE": "vosk", "SPEECH_STT_MODEL": "/no/model"}, "SPEECH_STT_MODEL names /no/model, which"),
        ({"SPEECH_TTS_ENGINE": "piper", "SPEECH_TTS_MODEL": ""}, "piper needs its model in SPEECH_TTS_MODEL"),
    ],
    ids=str,
)
def test_wrong_settings_are_refused(settings: dict[str, str], reason: str) -> None:
    """The message names the setting."""
    with pytest.raises(EngineMissing, match=reason):
        engines_from(settings)


def test_optional_engines_are_looked_for_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The start refuses an engine that is not installed, and says how to install it, rather than the first request."""
    settings = {"SPEECH_STT_ENGINE": "vosk", "SPEECH_TTS_ENGINE": "piper"}
    settings |= dict.fromkeys(("SPEECH_STT_MODEL", "SPEECH_TTS_MODEL"), str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EngineMissing, match="pip install vosk"):
        engines_from(settings)
    (tmp_path / "vosk.py").touch()
    with pytest.raises(EngineMissing, match="pip install piper-tts"):
        engines_from(settings)
    (tmp_path / "piper.py").touch()
    assert engines_from(settings).neural == ()
