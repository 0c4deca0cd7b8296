"""Speech to text."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing
from functools import partial

from voice_core import telemetry, timeouts
from voice_core.adapters.azure_speech.access import SpeechAccess
from voice_core.adapters.azure_speech.connection import ConnectionLost
from voice_core.adapters.azure_speech.connection_pool import ConnectionPool
from voice_core.adapters.azure_speech.failures import timed_out
from voice_core.adapters.azure_speech.recognition_attempt import Event, RecognitionAttempt, UtteranceSummary
from voice_core.adapters.azure_speech.recognizer import EndOfRecognition, Recognizer
from voice_core.adapters.azure_speech.ssml import legal
from voice_core.adapters.azure_speech.transcript_builder import Hypothesis, Phrase, TranscriptBuilder
from voice_core.adapters.azure_speech.voices import list_voices
from voice_core.audio.pauses import LongestPause
from voice_core.domain.audio import RECOGNITION_RATE, milliseconds
from voice_core.domain.errors import InvalidInput, NoSpeech, StageFailed
from voice_core.domain.speech import Hints, Interim, Transcript

CANDIDATES = 4
"""Most languages that Azure tells apart at the start of an utterance."""
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")

PHRASES = 500
"""Most phrases that Azure takes in a list."""


class AzureSpeechToText:
    """Recognises on Azure Speech, in *language* unless the hints name others.

    *final_seconds* is how long the service may stay silent after the end of an utterance, besides the longest pause in
    it. Up to *ready* connections are kept open ahead, each for *keep_seconds*: what was warmed, and one for whoever
    speaks next after a turn.

    The service is asked for words as they were said: profanity is neither masked nor removed. The SDK cuts a phrase to
    2048 bytes and loses one whose last character it cuts through; the service ends a phrase after 30 s at the latest,
    in which nobody says that much.
    """

    def __init__(
        self,
        access: SpeechAccess,
        *,
        language: str = "en-US",
        final_seconds: float = 10.0,
        ready: int = 8,
        keep_seconds: float = 60.0,
    ) -> None:
        self._access = access
        self._language = language
        self._final_seconds = final_seconds
        self._recognizers = ConnectionPool(partial(Recognizer.make, access), size=ready, keep_seconds=keep_seconds)

    async def warm(self, hints: Hints) -> None:
        """Open a connection for the next `transcribe` with these hints; says nothing when that fails.

        Raises:
            InvalidInput: as `transcribe`.
            StageFailed: with stage ``stt``; there is no token.
        """
        await self._recognizers.prepare(self._languages(hints))

    async def check(self) -> None:
        """Ask for the list of voices: that takes the same network, address and credential, and costs nothing.

        Raises:
            StageFailed: with stage ``stt``.
        """
        await list_voices(self._access, "stt")

    async def close(self) -> None:
        """Close the connections that are kept open. The access is its owner's to close."""
        await self._recognizers.close()

    async def transcribe(self, utterance: AsyncIterable[bytes], hints: Hints) -> AsyncGenerator[Interim | Transcript]:
        """Hear *utterance* (mono 16-bit PCM at 16 kHz) while it arrives.

        Yields interims, each the whole text so far, whenever the service says something, and then one Transcript. Its
        confidence is the mean over time of its phrases'; its duration is that of the sound.

        Raises:
            InvalidInput: ``language-invalid``, or ``languages-too-many`` to choose from.
            NoSpeech: no words in it; without any sound the service is not asked.
            StageFailed: with stage ``stt``.
        """
        languages = self._languages(hints)
        sound = aiter(utterance)
        first = await _first(sound)
        listening, hearing = (
            RecognitionAttempt(self._recognizers, languages, _phrases(hints)),
            TranscriptBuilder(languages[0]),
        )
        with telemetry.call("recognize", {"peer.service": "speech"}) as told:
            await listening.begin()
            told["voice.speech.session"] = listening.session_id
            feeding = asyncio.create_task(_feed(listening, first, sound))
            feeding.add_done_callback(listening.events.put_nowait)
            try:
                async with aclosing(self._interims(listening, hearing)) as interims:
                    async for interim in interims:
                        yield interim
            finally:
                feeding.cancel()
                listening.discard()
                # Whoever closes the utterance next must not meet a task that still reads it.
                await asyncio.gather(feeding, return_exceptions=True)
        self._recognizers.prepare_soon(languages)
        yield hearing.transcript()

    async def _interims(self, listening: RecognitionAttempt, hearing: TranscriptBuilder) -> AsyncGenerator[Interim]:
        """Take what is heard to the end."""
        seconds: float | None = None
        while not isinstance(event := await _next(listening.events, seconds), EndOfRecognition):
            match event:
                case Hypothesis():
                    yield hearing.interim(event)
                case Phrase():
                    hearing.finish(event)
                    yield hearing.so_far()
                case ConnectionLost():
                    await listening.begin_again()
                case StageFailed():
                    raise event
                case _:
                    fed = event.result()
                    hearing.duration_ms = milliseconds(fed.pcm_bytes, RECOGNITION_RATE)
                    # The service has nothing to say about a pause.
                    seconds = self._final_seconds + fed.pause_seconds

    def _languages(self, hints: Hints) -> tuple[str, ...]:
        languages = tuple(dict.fromkeys(hints.languages)) or (self._language,)
        for language in languages:
            if not LANGUAGE.fullmatch(language):
                raise InvalidInput(f"{language!r} is no language tag.", code="language-invalid", stage="stt")
        if len(languages) > CANDIDATES:
            detail = f"No more than {CANDIDATES} languages can be told apart."
            raise InvalidInput(detail, code="languages-too-many", stage="stt")
        return languages


def _phrases(hints: Hints) -> tuple[str, ...]:
    """As many as the service takes, without characters that its documents cannot hold."""
    return tuple(filter(None, map(legal, hints.phrases)))[:PHRASES]


async def _first(sound: AsyncIterator[bytes]) -> bytes:
    """The first sound there is. The SDK calls an empty stream a timeout of the service."""
    async for pcm in sound:
        if pcm:
            return pcm
    raise NoSpeech("There is no sound in it.", stage="stt")


async def _feed(listening: RecognitionAttempt, first: bytes, sound: AsyncIterator[bytes]) -> UtteranceSummary:
    """Write *first* and the rest of *sound*."""
    written, pause = len(first), LongestPause()
    listening.write(first)
    pause.feed(first)
    async for pcm in sound:
        listening.write(pcm)
        pause.feed(pcm)
        written += len(pcm)
    listening.finish()
    return UtteranceSummary(written, pause.seconds)


async def _next(events: asyncio.Queue[Event], seconds: float | None) -> Event:
    try:
        async with timeouts.timeout(seconds):
            return await events.get()
    except TimeoutError as error:
        raise timed_out("stt") from error
