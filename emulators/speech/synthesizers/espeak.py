"""espeak-ng in this process: robotic, fast, and available in every language."""

import asyncio
import ctypes
import threading
from collections.abc import AsyncGenerator
from functools import cache
from importlib.util import find_spec

from emulators.speech.engines import ENGINE_RATE, EngineMissing, LanguageUnknown, primary
from emulators.speech.resample import Resampler
from emulators.speech.voices import Voice

SYNCHRONOUS, UTF8 = 2, 1
BUFFER_MS = 60
RATE_PARAMETER, PITCH_PARAMETER = 1, 3
WORDS_PER_MINUTE = 155
PITCHES = {"Female": 50, "Male": 35}
TIMBRE = "+f2"
"""Voice variant; of all variants, PocketSphinx makes the fewest errors on this one."""
VOICES = {"en-US": "en-us", "pt-BR": "pt-br"}
"""espeak's voice names by locale, where they differ from the language."""

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Espeak:
    """Speaks with the library that `espeakng-loader` contains."""

    async def speak(self, text: str, voice: Voice) -> AsyncGenerator[bytes]:
        resampler = Resampler(_library().rate, ENGINE_RATE)
        pcm = await asyncio.to_thread(_library().speak, text, voice)
        yield resampler.resample(pcm) + resampler.flush()

    def engine_of(self, voice: Voice) -> str:
        return "espeak-ng"

    async def close(self) -> None:
        """Do nothing: no process was started."""


class _Library:
    """The library's one global synthesizer."""

    def __init__(self) -> None:
        import espeakng_loader

        self._lib = ctypes.CDLL(espeakng_loader.get_library_path())
        data = str(espeakng_loader.get_data_path()).encode()
        self.rate = int(self._lib.espeak_Initialize(SYNCHRONOUS, BUFFER_MS, data, 0))
        """Hertz of its PCM."""
        self._lock = threading.Lock()
        self._pcm = bytearray()
        self._callback = _Callback(self._collect)  # must live as long as the library calls it
        self._lib.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, voice: Voice) -> bytes:
        """16-bit mono PCM of *text*, made about a thousand times faster than real time.

        Raises:
            LanguageUnknown: espeak-ng has no voice for the locale.
        """
        name = VOICES.get(voice.locale, primary(voice.locale)) + TIMBRE
        encoded = text.encode()
        with self._lock:
            if self._lib.espeak_SetVoiceByName(name.encode()):
                raise LanguageUnknown(f"espeak-ng has no voice {name}")
            self._lib.espeak_SetParameter(RATE_PARAMETER, WORDS_PER_MINUTE, 0)
            self._lib.espeak_SetParameter(PITCH_PARAMETER, PITCHES[voice.gender], 0)
            self._pcm.clear()
            self._lib.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, UTF8, None, None)
            self._lib.espeak_Synchronize()
            return bytes(self._pcm)

    def _collect(self, wave: "ctypes._Pointer[ctypes.c_short]", samples: int, _events: int | None) -> int:
        if wave and samples:
            self._pcm += ctypes.string_at(wave, 2 * samples)
        return 0


@cache
def _library() -> _Library:
    if find_spec("espeakng_loader") is None:
        raise EngineMissing("speech needs espeakng-loader: pip install espeakng-loader")
    return _Library()
