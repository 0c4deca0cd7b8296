"""The choice of engines by environment variables.

``ENGINES``: light (PocketSphinx; flite or espeak-ng), neural (whisper tiny.en and hibari; requests are refused where
they cannot run), or auto, the default: neural where they can run, light otherwise.

``SPEECH_STT_ENGINE`` and ``SPEECH_TTS_ENGINE`` name one engine instead: pocketsphinx, faster-whisper (tiny.en, or the
model in ``SPEECH_STT_MODEL``) or vosk (with its model there); flite, espeak-ng, hibari, or piper (with its voice in
``SPEECH_TTS_MODEL``).
"""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from emulators.speech.chosen_engines import ChosenEngines, ChosenRecognizer, ChosenSynthesizer
from emulators.speech.engines import EngineMissing
from emulators.speech.processes.availability import Availability
from emulators.speech.recognizers.interims import WithInterims
from emulators.speech.recognizers.sphinx import Sphinx
from emulators.speech.recognizers.vosk import Vosk
from emulators.speech.recognizers.whisper import Whisper
from emulators.speech.synthesizers.auto import Auto
from emulators.speech.synthesizers.espeak import Espeak
from emulators.speech.synthesizers.flite import Flite
from emulators.speech.synthesizers.hibari import Hibari
from emulators.speech.synthesizers.piper import Piper

PREFERENCES = ("light", "neural", "auto")
PIP_NAMES = {"piper": "piper-tts"}
"""Packages by the module that they contain, where the names differ."""


def engines_from(environ: Mapping[str, str]) -> ChosenEngines:
    """The engines that *environ* names; each loads when it is first needed.

    Raises:
        EngineMissing: the name of an engine is unknown, or vosk or piper is missing, or its model.
    """
    preference = environ.get("ENGINES") or "auto"
    if preference not in PREFERENCES:
        raise EngineMissing(f"ENGINES knows light, neural and auto, not {preference}")
    return ChosenEngines(_recognizer(environ, preference), _synthesizer(environ, preference))


def _recognizer(environ: Mapping[str, str], preference: str) -> ChosenRecognizer:
    match environ.get("SPEECH_STT_ENGINE") or "auto":
        case "auto" if preference != "light":
            return _whisper("", required=preference == "neural")
        case "auto" | "pocketsphinx":
            return ChosenRecognizer(Sphinx(), "PocketSphinx")
        case "faster-whisper":
            return _whisper(environ.get("SPEECH_STT_MODEL", ""), required=True)
        case "vosk":
            return ChosenRecognizer(Vosk(_model(environ, "SPEECH_STT_MODEL", "vosk")), "vosk")
        case other:
            raise EngineMissing(f"SPEECH_STT_ENGINE knows auto, pocketsphinx, faster-whisper and vosk, not {other}")


def _whisper(model: str, *, required: bool) -> ChosenRecognizer:
    whisper, sphinx = Whisper(model), Sphinx()
    availability = Availability(whisper.pool, "whisper", required=required)
    return ChosenRecognizer(sphinx, "PocketSphinx", WithInterims(whisper, sphinx), availability)


def _synthesizer(environ: Mapping[str, str], preference: str) -> ChosenSynthesizer:
    match environ.get("SPEECH_TTS_ENGINE") or "auto":
        case "auto" if preference != "light":
            return _hibari(required=preference == "neural")
        case "hibari":
            return _hibari(required=True)
        case "auto":
            return ChosenSynthesizer(Auto())
        case "flite":
            return ChosenSynthesizer(Flite())
        case "espeak-ng":
            return ChosenSynthesizer(Espeak())
        case "piper":
            return ChosenSynthesizer(Piper(_model(environ, "SPEECH_TTS_MODEL", "piper")))
        case other:
            raise EngineMissing(f"SPEECH_TTS_ENGINE knows auto, flite, espeak-ng, hibari and piper, not {other}")


def _hibari(*, required: bool) -> ChosenSynthesizer:
    hibari = Hibari()
    return ChosenSynthesizer(Auto(), hibari, Availability(hibari.pool, "hibari", required=required))


def _model(environ: Mapping[str, str], setting: str, package: str) -> str:
    model = environ.get(setting)
    if not model:
        raise EngineMissing(f"{package} needs its model in {setting}")
    if not Path(model).exists():
        raise EngineMissing(f"{setting} names {model}, which does not exist")
    if find_spec(package) is None:
        raise EngineMissing(f"{package} is not installed: pip install {PIP_NAMES.get(package, package)}")
    return model
