"""Piper, an optional engine: it needs the package and a downloaded voice."""

import asyncio
import importlib
import io
import wave
from collections.abc import AsyncGenerator
from functools import cached_property
from pathlib import Path
from typing import Any

from emulators.speech.engines import ENGINE_RATE, EngineMissing
from emulators.speech.resample import Resampler
from emulators.speech.voices import Voice


class Piper:
    """Speaks with the single voice of *model*, a path to its ``.onnx`` file, whatever voice is requested."""

    def __init__(self, model: str) -> None:
        self._model = model

    async def speak(self, text: str, voice: Voice) -> AsyncGenerator[bytes]:
        with wave.open(io.BytesIO(await asyncio.to_thread(self._wav, text))) as sound:
            rate, pcm = sound.getframerate(), sound.readframes(sound.getnframes())
        resampler = Resampler(rate, ENGINE_RATE)
        yield resampler.resample(pcm) + resampler.flush()

    def engine_of(self, voice: Voice) -> str:
        return f"piper {Path(self._model).stem}"

    async def close(self) -> None:
        """Do nothing: no process was started."""

    def _wav(self, text: str) -> bytes:
        file = io.BytesIO()
        with wave.open(file, "wb") as sound:
            self._voice.synthesize_wav(text, sound)
        return file.getvalue()

    @cached_property
    def _voice(self) -> Any:
        try:
            piper = importlib.import_module("piper")
        except ImportError as error:
            raise EngineMissing("SPEECH_TTS_ENGINE=piper needs it installed: pip install piper-tts") from error
        return piper.PiperVoice.load(self._model)
