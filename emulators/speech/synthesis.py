"""Text to speech, as the service talks of it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from emulators.script import Script
from emulators.speech.channel import BAD_REQUEST, Answer, Channel, TurnEnded
from emulators.speech.engines import ENGINE_RATE, EngineMissing, LanguageUnknown, Synthesizer
from emulators.speech.resample import Resampler
from emulators.speech.scripted import ToneSynthesizer
from emulators.speech.ssml import BadSsml, Pause, Piece, Words, pieces

CHUNK_SECONDS = 0.1
RATES = {f"raw-{rate // 1000}khz-16bit-mono-pcm": rate for rate in (8_000, 16_000, 24_000, 48_000)}
"""The formats that can be asked for, and their hertz."""
DEFAULT_FORMAT = "raw-16khz-16bit-mono-pcm"


class SynthesisTurn:
    """One document to be spoken."""

    def __init__(
        self,
        request_id: str,
        context: dict[str, Any],
        ssml: str,
        channel: Channel,
        script: Script,
        synthesizer: Synthesizer,
    ) -> None:
        self.request_id = request_id
        audio = context.get("synthesis", {}).get("audio", {})
        self._format = str(audio.get("outputFormat", DEFAULT_FORMAT))
        self._ssml = ssml
        self._channel = channel
        self._script = script
        self._synthesizer = synthesizer

    async def run(self) -> None:
        """Speak to the end, and log it."""
        received = asyncio.get_running_loop().time()
        with self._script.serving("tts") as served:
            served.facts.update(ssml=self._ssml, format=self._format, voice=None, chunks=0)
            answer = Answer(self._channel, self.request_id, self._script.next("tts"), served)
            try:
                await answer.begin()
                await self._speak(answer, received)
            except TurnEnded:
                pass
            except (BadSsml, LanguageUnknown, EngineMissing) as error:
                await self._channel.close(BAD_REQUEST, str(error))
                served.outcome = "status-400"

    async def _speak(self, answer: Answer, received: float) -> None:
        wanted = pieces(self._ssml)
        answer.facts["voice"] = next((piece.voice.short_name for piece in wanted if isinstance(piece, Words)), None)
        if self._format not in RATES:
            await answer.refuse(f"Unsupported output format {self._format}")
        rate = RATES[self._format]
        synthesizer = ToneSynthesizer() if answer.step.tone else self._synthesizer
        pace = Pace(answer.step.real_time_factor, received + (answer.step.first_seconds or 0.0))
        async for chunk in _chunks(_sound(wanted, synthesizer), rate):
            await pace.wait()
            await answer.send_audio(chunk)
            answer.facts["chunks"] += 1
            pace.sent(len(chunk) / (2 * rate))
        await answer.end()


class Pace:
    """When the next chunk is due; what comes late does not delay what follows."""

    def __init__(self, real_time_factor: float | None, first_due: float) -> None:
        self._real_time_factor = real_time_factor
        self._due = first_due

    async def wait(self) -> None:
        await asyncio.sleep(self._due - asyncio.get_running_loop().time())

    def sent(self, seconds: float) -> None:
        if self._real_time_factor is not None:
            self._due += seconds / self._real_time_factor


async def _sound(wanted: tuple[Piece, ...], synthesizer: Synthesizer) -> AsyncGenerator[bytes]:
    for piece in wanted:
        if isinstance(piece, Pause):
            yield bytes(2 * round(piece.seconds * ENGINE_RATE))
            continue
        async for pcm in synthesizer.speak(piece.text, piece.voice):
            yield pcm


async def _chunks(sound: AsyncIterator[bytes], rate: int) -> AsyncGenerator[bytes]:
    """*sound* at *rate* hertz in chunks of `CHUNK_SECONDS`, the last one shorter."""
    resampler, size, waiting = Resampler(ENGINE_RATE, rate), 2 * round(CHUNK_SECONDS * rate), bytearray()
    async for pcm in sound:
        waiting += resampler.resample(pcm)
        while len(waiting) >= size:
            yield bytes(waiting[:size])
            del waiting[:size]
    waiting += resampler.flush()
    for start in range(0, len(waiting), size):
        yield bytes(waiting[start : start + size])
