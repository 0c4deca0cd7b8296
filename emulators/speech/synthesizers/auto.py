"""The light engines: flite for English where it is installed, espeak-ng for everything else."""

import shutil
from collections.abc import AsyncIterator

from emulators.speech.engines import Synthesizer
from emulators.speech.synthesizers.espeak import Espeak
from emulators.speech.synthesizers.flite import Flite
from emulators.speech.voices import Voice


class Auto:
    def __init__(self) -> None:
        self._flite = Flite()
        self._espeak = Espeak()

    def speak(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        return self._of(voice).speak(text, voice)

    def engine_of(self, voice: Voice) -> str:
        return self._of(voice).engine_of(voice)

    async def close(self) -> None:
        """Do nothing: no process was started."""

    def _of(self, voice: Voice) -> Synthesizer:
        return self._flite if voice.locale.startswith("en-") and shutil.which("flite") else self._espeak
