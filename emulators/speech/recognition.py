"""Speech to text, as the service talks of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, nullcontext

from emulators.script import Script
from emulators.speech.answer import Answer, answering
from emulators.speech.channel import Channel
from emulators.speech.engines import Heard, Hearing, Recognizer, primary
from emulators.speech.pauses import LONGEST_PHRASE_SECONDS, Pauses
from emulators.speech.phrases import edge, end_of_speech, hypothesis, phrase
from emulators.speech.requests import RecognitionRequest
from emulators.speech.scripted import ScriptedHearing
from emulators.speech.wave import read_header


class RecognitionTurn:
    """One utterance: audio comes in while it is being recognised."""

    def __init__(
        self, request_id: str, request: RecognitionRequest, channel: Channel, script: Script, recognizer: Recognizer
    ) -> None:
        self.request_id = request_id
        self.audio: asyncio.Queue[bytes] = asyncio.Queue()
        """Bodies of audio messages; the first begins with a WAV header, an empty one ends the utterance."""
        self._request = request
        self._channel = channel
        self._script = script
        self._recognizer = recognizer

    async def run(self) -> None:
        """Recognise to the end, and log it."""
        async with answering(self._channel, self.request_id, self._script, "stt") as answer:
            await answer.begin()
            rate, first = read_header(await self.audio.get())
            language = self._language(scripted=answer.step.text is not None)
            answer.facts.update(_facts(self._request, rate))
            async with self._listening(answer, rate, language) as hearing:
                utterance = Utterance(self._request, answer, hearing, Pauses(rate), language)
                await utterance.hear_all(self._chunks(first))
            await answer.end()

    def _language(self, *, scripted: bool) -> str:
        """The first candidate the engine knows; identifying by sound is beyond it."""
        known = () if scripted else tuple(map(primary, self._recognizer.languages))
        asked = self._request.languages
        return next((language for language in asked if primary(language) in known), asked[0])

    def _listening(self, answer: Answer, rate: int, language: str) -> AbstractAsyncContextManager[Hearing]:
        if answer.step.text is not None:
            return nullcontext(ScriptedHearing(answer.step.text, rate))
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
    """What is heard in one turn: interims, and a phrase at every pause."""

    def __init__(
        self, request: RecognitionRequest, answer: Answer, hearing: Hearing, pauses: Pauses, language: str
    ) -> None:
        self._request = request
        self._answer = answer
        self._hearing = hearing
        self._pauses = pauses
        self._language = language if request.identify else None
        self._interim = ""
        self._phrases = 0
        self._speech = False

    async def hear_all(self, chunks: AsyncIterator[bytes]) -> None:
        """Recognise *chunks* to their end or, asked for one phrase, to the end of that."""
        scripted = self._answer.step.text is not None
        async for pcm in chunks:
            await self._hear(pcm)
            if scripted:
                await self._acknowledge()
            elif self._phrase_ends() and self._request.mode == "INTERACTIVE":
                break
            elif self._phrase_ends():
                await self._send_phrase(await self._hearing.finish())
        await self._send_last_phrase(heed_silence=not scripted)

    async def _hear(self, pcm: bytes) -> None:
        await asyncio.sleep(self._answer.step.hear_seconds)
        self._pauses.hear(pcm)
        self._answer.facts["audio_seconds"] = self._pauses.position
        if self._pauses.speech and not self._speech:
            self._speech = True
            await self._answer.send("speech.startDetected", edge(self._pauses))
        interim = await self._hearing.hear(pcm)
        if interim and interim != self._interim:
            self._interim = interim
            self._answer.facts["interims"] += 1
            await self._answer.send_result("speech.hypothesis", hypothesis(interim, self._pauses, self._language))

    def _phrase_ends(self) -> bool:
        pauses = self._pauses
        if not pauses.speech:
            return pauses.phrase_seconds >= self._request.initial_silence_seconds
        return pauses.silence >= self._request.pause_seconds or pauses.phrase_seconds >= LONGEST_PHRASE_SECONDS

    async def _acknowledge(self) -> None:
        """A scripted turn has its words at the end only, but the client must hear that its sound arrived."""
        if self._pauses.phrase_seconds >= LONGEST_PHRASE_SECONDS:
            await self._send_phrase(Heard())

    async def _send_last_phrase(self, *, heed_silence: bool) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + (self._answer.step.first_seconds or 0.0)
        if self._speech:
            await self._answer.send("speech.endDetected", edge(self._pauses))
        heard = await self._hearing.finish()
        await asyncio.sleep(due - loop.time())
        await self._send_phrase(heard if self._pauses.speech or not heed_silence else Heard(), last=True)

    async def _send_phrase(self, heard: Heard, *, last: bool = False) -> None:
        if last and self._phrases and not heard.words:
            document = end_of_speech(self._pauses)
        else:
            document = phrase(heard, self._pauses, self._request, self._language)
        self._phrases += bool(heard.words)
        await self._answer.send_result("speech.phrase", self._answer.step.body or document)
        self._pauses.next_phrase()
        self._interim = ""
