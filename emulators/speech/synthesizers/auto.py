"""The best engine that is installed."""

import shutil
from collections.abc import AsyncIterator

from emulators.speech.synthesizers.espeak import Espeak
from emulators.speech.synthesizers.flite import Flite
from emulators.speech.voices import Voice


class Auto:
    """flite for English where it is installed, espeak-ng for everything else."""

    def __init__(self) -> None:
        self._flite = Flite()
        self._espeak = Espeak()

    def speak(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        if voice.locale.startswith("en-") and shutil.which("flite"):
            return self._flite.speak(text, voice)
        return self._espeak.speak(text, voice)
