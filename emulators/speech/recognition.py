"""Speech to text in the protocol of the service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, nullcontext

from emulators.script import Script
from emulators.speech.channel import Channel
from emulators.speech.engines import Recognition, RecognitionResult, Recognizer, primary
from emulators.speech.pauses import LONGEST_PHRASE_SECONDS, Pauses
from emulators.speech.phrases import edge, end_of_speech, hypothesis, phrase
from emulators.speech.requests import RecognitionRequest
from emulators.speech.scripted_recognition import ScriptedRecognition
from emulators.speech.turn_output import TurnOutput, turn_output
from emulators.speech.wave import read_header


class RecognitionTurn:
    """One recognition turn; its audio is recognised while it arrives."""

    def __init__(
        self, request_id: str, request: RecognitionRequest, channel: Channel, script: Script, recognizer: Recognizer
    ) -> None:
        self.request_id = request_id
        self.audio: asyncio.Queue[bytes] = asyncio.Queue()
        """Bodies of audio messages. The first begins with a WAV header; an empty one ends the utterance."""
        self._request = request
        self._channel = channel
        self._script = script
        self._recognizer = recognizer

    async def run(self) -> None:
        """Recognise the utterance to its end, and log the turn."""
        async with turn_output(self._channel, self.request_id, self._script, "stt") as output:
            await output.begin()
            rate, first = read_header(await self.audio.get())
            language = self._language(scripted=output.step.text is not None)
            output.facts.update(_facts(self._request, rate))
            async with self._listening(output, rate, language) as recognition:
                utterance = Utterance(self._request, output, recognition, Pauses(rate), language)
                await utterance.recognise(self._chunks(first))
            await output.end()

    def _language(self, *, scripted: bool) -> str:
        """The first candidate language that the engine has; it does not identify languages by sound."""
        known = () if scripted else tuple(map(primary, self._recognizer.languages))
        candidates = self._request.languages
        return next((language for language in candidates if primary(language) in known), candidates[0])

    def _listening(self, output: TurnOutput, rate: int, language: str) -> AbstractAsyncContextManager[Recognition]:
        if output.step.text is not None:
            return nullcontext(ScriptedRecognition(output.step.text, rate))
        return self._recognizer.listening(rate, self._request.phrases, language)

    async def _chunks(self, first: bytes) -> AsyncIterator[bytes]:
        if first:
            yield first
        while chunk := await self.audio.get():
            yield chunk[: len(chunk) // 2 * 2]


def _facts(request: RecognitionRequest, rate: int) -> dict[str, object]:
    return {
        "languages": list(request.languages),
        "phrases": list(request.phrases),
        "mode": request.mode,
        "rate": rate,
        "audio_seconds": 0.0,
        "interims": 0,
    }


class Utterance:
    """The recognition of one turn: it sends interim results, and a phrase at every pause."""

    def __init__(
        self, request: RecognitionRequest, output: TurnOutput, recognition: Recognition, pauses: Pauses, language: str
    ) -> None:
        self._request = request
        self._output = output
        self._recognition = recognition
        self._pauses = pauses
        self._language = language if request.identify else None
        self._interim = ""
        self._phrases = 0
        self._speech = False

    async def recognise(self, chunks: AsyncIterator[bytes]) -> None:
        """Recognise *chunks* to their end or, in INTERACTIVE mode, to the end of the first phrase."""
        scripted = self._output.step.text is not None
        async for pcm in chunks:
            await self._receive(pcm)
            if scripted:
                await self._acknowledge()
            elif self._phrase_ends() and self._request.mode == "INTERACTIVE":
                break
            elif self._phrase_ends():
                await self._send_phrase(await self._recognition.finish())
        await self._send_last_phrase(silence_is_empty=not scripted)

    async def _receive(self, pcm: bytes) -> None:
        await asyncio.sleep(self._output.step.hear_seconds)
        self._pauses.hear(pcm)
        self._output.facts["audio_seconds"] = self._pauses.position
        if self._pauses.speech and not self._speech:
            self._speech = True
            await self._output.send("speech.startDetected", edge(self._pauses))
        interim = await self._recognition.hear(pcm)
        if interim and interim != self._interim:
            self._interim = interim
            self._output.facts["interims"] += 1
            await self._output.send_result("speech.hypothesis", hypothesis(interim, self._pauses, self._language))

    def _phrase_ends(self) -> bool:
        pauses = self._pauses
        if not pauses.speech:
            return pauses.phrase_seconds >= self._request.initial_silence_seconds
        return pauses.silence >= self._request.pause_seconds or pauses.phrase_seconds >= LONGEST_PHRASE_SECONDS

    async def _acknowledge(self) -> None:
        """Send an empty phrase when one is due: scripted words come only at the end, but the client needs results."""
        if self._pauses.phrase_seconds >= LONGEST_PHRASE_SECONDS:
            await self._send_phrase(RecognitionResult())

    async def _send_last_phrase(self, *, silence_is_empty: bool) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + (self._output.step.first_seconds or 0.0)
        if self._speech:
            await self._output.send("speech.endDetected", edge(self._pauses))
        result = await self._recognition.finish()
        await asyncio.sleep(due - loop.time())
        await self._send_phrase(
            result if self._pauses.speech or not silence_is_empty else RecognitionResult(), last=True
        )

    async def _send_phrase(self, result: RecognitionResult, *, last: bool = False) -> None:
        if last and self._phrases and not result.words:
            document = end_of_speech(self._pauses)
        else:
            document = phrase(result, self._pauses, self._request, self._language)
        self._phrases += bool(result.words)
        await self._output.send_result("speech.phrase", self._output.step.body or document)
        self._pauses.next_phrase()
        self._interim = ""
