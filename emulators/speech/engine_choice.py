"""The choice of engines by environment variables.

``SPEECH_STT_ENGINE``: pocketsphinx (the default), faster-whisper or vosk, both with their model in
``SPEECH_STT_MODEL``. ``SPEECH_TTS_ENGINE``: auto (flite for English where it is installed, espeak-ng for the rest),
flite, espeak-ng, or piper with its voice in ``SPEECH_TTS_MODEL``.
"""

from collections.abc import Mapping

from emulators.speech.engines import EngineMissing, Engines, Recognizer, Synthesizer
from emulators.speech.recognizers.sphinx import Sphinx
from emulators.speech.recognizers.vosk import Vosk
from emulators.speech.recognizers.whisper import Whisper
from emulators.speech.synthesizers.auto import Auto
from emulators.speech.synthesizers.espeak import Espeak
from emulators.speech.synthesizers.flite import Flite
from emulators.speech.synthesizers.piper import Piper


def engines_from(environ: Mapping[str, str]) -> Engines:
    """The engines that *environ* names; each loads when it is first needed.

    Raises:
        EngineMissing: the name of an engine is unknown, or the setting of its model is missing.
    """
    return Engines(_recognizer(environ), _synthesizer(environ))


def _recognizer(environ: Mapping[str, str]) -> Recognizer:
    match environ.get("SPEECH_STT_ENGINE", "pocketsphinx"):
        case "pocketsphinx":
            return Sphinx()
        case "faster-whisper":
            return Whisper(_model(environ, "SPEECH_STT_MODEL"))
        case "vosk":
            return Vosk(_model(environ, "SPEECH_STT_MODEL"))
        case other:
            raise EngineMissing(f"SPEECH_STT_ENGINE knows pocketsphinx, faster-whisper and vosk, not {other}")


def _synthesizer(environ: Mapping[str, str]) -> Synthesizer:
    match environ.get("SPEECH_TTS_ENGINE", "auto"):
        case "auto":
            return Auto()
        case "flite":
            return Flite()
        case "espeak-ng":
            return Espeak()
        case "piper":
            return Piper(_model(environ, "SPEECH_TTS_MODEL"))
        case other:
            raise EngineMissing(f"SPEECH_TTS_ENGINE knows auto, flite, espeak-ng and piper, not {other}")


def _model(environ: Mapping[str, str], setting: str) -> str:
    if not environ.get(setting):
        raise EngineMissing(f"this engine needs its model in {setting}")
    return environ[setting]
