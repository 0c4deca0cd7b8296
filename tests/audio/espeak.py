"""Words, spoken by espeak-ng in a process of its own: the library can be set up only once a process."""

import subprocess
import sys
from ctypes import CFUNCTYPE, c_char_p, c_int, c_void_p, cdll, string_at
from functools import cache

import espeakng_loader
import numpy as np

from tests.audio.sounds import Signal
from voice_core.audio.pcm import Converter
from voice_core.audio.pcm_layout import RawPcm

RATE = 22_050
_SYNCHRONOUS, _UTF8, _UNTIL_END = 2, 1, 0


@cache
def spoken(text: str) -> Signal:
    """*text* at 16 kHz, with the pauses around it taken off."""
    code = [sys.executable, "-m", "tests.audio.espeak", text]
    pcm = subprocess.run(code, check=True, stdout=subprocess.PIPE).stdout  # noqa: S603 - our own interpreter
    converter = Converter(RawPcm(RATE))
    sound = np.frombuffer(converter.feed(pcm) + converter.finish(), "<i2") / 32_768
    loud = np.flatnonzero(np.abs(sound) > 0.01)
    return sound[loud[0] : loud[-1]]


def _speak(text: str) -> bytes:
    engine, pcm = cdll.LoadLibrary(espeakng_loader.get_library_path()), bytearray()

    def heard(samples: int | None, count: int, _: int) -> int:
        pcm.extend(string_at(samples, 2 * count) if samples else b"")
        return 0

    callback = CFUNCTYPE(c_int, c_void_p, c_int, c_void_p)(heard)
    engine.espeak_Initialize(_SYNCHRONOUS, 0, c_char_p(espeakng_loader.get_data_path().encode()), 0)
    engine.espeak_SetSynthCallback(callback)
    data = text.encode() + b"\0"
    engine.espeak_Synth(data, len(data), 0, 0, 0, _UTF8, None, None)
    engine.espeak_Synchronize()
    return bytes(pcm)


if __name__ == "__main__":
    sys.stdout.buffer.write(_speak(sys.argv[1]))
