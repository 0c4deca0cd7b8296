"""Text to speech in the protocol of the service."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from emulators.script import Script
from emulators.speech.channel import Channel
from emulators.speech.engines import ENGINE_RATE, Synthesizer
from emulators.speech.refusals import RequestRefused
from emulators.speech.resample import Resampler
from emulators.speech.scripted_recognition import ToneSynthesizer
from emulators.speech.ssml import Pause, Piece, Words, pieces
from emulators.speech.turn_output import TurnOutput, turn_output

CHUNK_SECONDS = 0.1
LONGEST_SECONDS = 600.0
"""Longest speech of one turn; Azure drops the rest without an error."""
RATES = {f"raw-{rate // 1000}khz-16bit-mono-pcm": rate for rate in (8_000, 16_000, 24_000, 48_000)}
"""Supported output formats, and their hertz."""
DEFAULT_FORMAT = "raw-16khz-16bit-mono-pcm"


class SynthesisTurn:
    """One synthesis turn: it speaks one SSML document."""

    def __init__(
        self,
        request_id: str,
        context: dict[str, Any],
        ssml: str,
        channel: Channel,
        script: Script,
        synthesizer: Synthesizer,
    ) -> None:
        audio = context.get("synthesis", {}).get("audio", {})
        self._format = str(audio.get("outputFormat", DEFAULT_FORMAT))
        self._request_id = request_id
        self._ssml = ssml
        self._channel = channel
        self._script = script
        self._synthesizer = synthesizer

    async def run(self) -> None:
        """Speak the document to its end, and log the turn."""
        received = asyncio.get_running_loop().time()
        async with turn_output(self._channel, self._request_id, self._script, "tts") as output:
            output.facts.update(ssml=self._ssml, format=self._format, voice=None, chunks=0)
            await output.begin()
            await self._speak(output, received)
            await output.end()

    async def _speak(self, output: TurnOutput, received: float) -> None:
        document_pieces, rate = pieces(self._ssml), self._rate()
        output.facts["voice"] = next(
            (piece.voice.short_name for piece in document_pieces if isinstance(piece, Words)), None
        )
        synthesizer = ToneSynthesizer() if output.step.tone else self._synthesizer
        pace = Pace(output.step.real_time_factor, received + (output.step.first_seconds or 0.0))
        async for chunk in _chunks(_sound(document_pieces, synthesizer), rate):
            await pace.wait()
            await output.send_audio(chunk)
            output.facts["chunks"] += 1
            pace.sent(len(chunk) / (2 * rate))

    def _rate(self) -> int:
        if self._format not in RATES:
            raise RequestRefused(f"Unsupported output format {self._format}")
        return RATES[self._format]


class Pace:
    """The schedule of a turn's chunks; a late chunk does not delay the next ones."""

    def __init__(self, real_time_factor: float | None, first_due: float) -> None:
        self._real_time_factor = real_time_factor
        self._due = first_due

    async def wait(self) -> None:
        await asyncio.sleep(self._due - asyncio.get_running_loop().time())

    def sent(self, seconds: float) -> None:
        if self._real_time_factor is not None:
            self._due += seconds / self._real_time_factor


async def _sound(document_pieces: tuple[Piece, ...], synthesizer: Synthesizer) -> AsyncGenerator[bytes]:
    """The speech of *document_pieces* at `ENGINE_RATE`, at most `LONGEST_SECONDS` long."""
    left = 2 * round(LONGEST_SECONDS * ENGINE_RATE)
    for piece in document_pieces:
        async for pcm in _spoken(piece, synthesizer):
            yield pcm[:left]
            left -= len(pcm)
            if left <= 0:
                return


async def _spoken(piece: Piece, synthesizer: Synthesizer) -> AsyncGenerator[bytes]:
    if isinstance(piece, Pause):
        yield bytes(2 * round(piece.seconds * ENGINE_RATE))
        return
    async for pcm in synthesizer.speak(piece.text, piece.voice):
        yield pcm


async def _chunks(sound: AsyncIterator[bytes], rate: int) -> AsyncGenerator[bytes]:
    """*sound* at *rate* hertz, in chunks of `CHUNK_SECONDS`; the last one may be shorter."""
    resampler, size, waiting = Resampler(ENGINE_RATE, rate), 2 * round(CHUNK_SECONDS * rate), bytearray()
    async for pcm in sound:
        waiting += resampler.resample(pcm)
        while len(waiting) >= size:
            yield bytes(waiting[:size])
            del waiting[:size]
    waiting += resampler.flush()
    for start in range(0, len(waiting), size):
        yield bytes(waiting[start : start + size])
