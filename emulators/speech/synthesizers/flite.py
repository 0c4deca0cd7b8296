"""The flite command: English only, but recognisers make fewer errors on it than on any other small engine."""

import asyncio
import io
import shutil
import wave
from collections.abc import AsyncGenerator
from contextlib import suppress

from emulators.speech.engines import ENGINE_RATE, EngineMissing, LanguageUnknown
from emulators.speech.resample import Resampler
from emulators.speech.voices import Voice

FLITE_VOICE = "rms"
"""The voice for every name: PocketSphinx errs on 7 words in 100 with it, on 14 with the female slt."""

TYPOGRAPHY = str.maketrans({"’": "'", "‘": "'", "–": ",", "—": ","})


class Flite:
    """Yields the speech of each text at once: flite writes nothing before it has synthesised all."""

    async def speak(self, text: str, voice: Voice) -> AsyncGenerator[bytes]:
        if not voice.locale.startswith("en-"):
            raise LanguageUnknown(f"flite does not speak {voice.locale}")
        if shutil.which("flite") is None:
            raise EngineMissing("speech by flite needs it installed: apt-get install flite")
        with wave.open(io.BytesIO(await _wav(text))) as sound:
            rate, pcm = sound.getframerate(), sound.readframes(sound.getnframes())
        resampler = Resampler(rate, ENGINE_RATE)
        yield resampler.resample(pcm) + resampler.flush()

    def engine_of(self, voice: Voice) -> str:
        return f"flite {FLITE_VOICE}"

    async def close(self) -> None:
        """Do nothing: no process was started."""


async def _wav(text: str) -> bytes:
    plain = text.translate(TYPOGRAPHY).encode("ascii", "ignore")
    process = await asyncio.create_subprocess_exec(
        "flite", "-voice", FLITE_VOICE, "-o", "/dev/stdout", "-t", plain, stdout=asyncio.subprocess.PIPE
    )
    try:
        wav, _ = await process.communicate()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    return wav
