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
from voice_core.adapters.azure_speech.failures import BadRequest, timed_out
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
"""Most languages among which Azure detects the one spoken, at the start of an utterance."""
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")

PHRASES = 500
"""Most phrases that Azure accepts in a phrase list."""


class AzureSpeechToText:
    """Recognises on Azure Speech, in *language* unless the hints name others.

    *final_seconds* is how long the service may stay silent after the end of an utterance, in addition to the longest
    pause in it. Up to *ready* connections are open in advance, each for *keep_seconds*: those that `warm` opened, and
    one that each turn opens for the next.

    Words are returned as they were spoken: profanity is neither masked nor removed. The SDK cuts a phrase to 2048
    bytes, and loses a phrase whose last character is cut in two. But the service ends a phrase after 30 s at the
    latest, and no one speaks that much in 30 s.
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
        """Open a connection for the next `transcribe` with these hints; a failure to connect is ignored.

        Raises:
            InvalidInput: as `transcribe`.
            StageFailed: with stage ``stt``; no token could be obtained.
        """
        await self._recognizers.prepare(self._languages(hints))

    async def check(self) -> None:
        """Request the list of voices: that needs the same network, address and credential, and is free.

        Raises:
            StageFailed: with stage ``stt``.
        """
        await list_voices(self._access, "stt")

    async def close(self) -> None:
        """Close the pooled connections; the access stays open."""
        await self._recognizers.close()

    async def transcribe(self, utterance: AsyncIterable[bytes], hints: Hints) -> AsyncGenerator[Interim | Transcript]:
        """Recognise *utterance* (mono 16-bit PCM at 16 kHz) while it arrives.

        Yields an interim, with all the text so far, for each result of the service, and then one Transcript. Its
        confidence is the mean of its phrases' confidences, weighted by their length; its duration is that of the audio.

        Raises:
            InvalidInput: ``language-invalid``, ``languages-too-many`` to choose from, or ``language-unsupported``.
            NoSpeech: it contains no words; for an empty utterance the service is not called.
            StageFailed: with stage ``stt``.
        """
        languages = self._languages(hints)
        sound = aiter(utterance)
        first = await _first(sound)
        attempt = RecognitionAttempt(self._recognizers, languages, _phrases(hints))
        builder = TranscriptBuilder(languages[0])
        with telemetry.call("recognize", {"peer.service": "speech"}) as facts:
            await attempt.begin()
            facts["voice.speech.session"] = attempt.session_id
            feeding = asyncio.create_task(_feed(attempt, first, sound))
            feeding.add_done_callback(attempt.events.put_nowait)
            try:
                async with aclosing(self._interims(attempt, builder)) as interims:
                    async for interim in interims:
                        yield interim
            except BadRequest as error:
                if not hints.languages:
                    raise
                raise _unsupported(hints.languages) from error
            finally:
                feeding.cancel()
                attempt.discard()
                # The caller may close the utterance now, so no task may still be reading it.
                await asyncio.gather(feeding, return_exceptions=True)
        self._recognizers.prepare_soon(languages)
        yield builder.transcript()

    async def _interims(self, attempt: RecognitionAttempt, builder: TranscriptBuilder) -> AsyncGenerator[Interim]:
        """Handle the events of *attempt* up to the end of recognition."""
        seconds: float | None = None
        while not isinstance(event := await _next(attempt.events, seconds), EndOfRecognition):
            match event:
                case Hypothesis():
                    yield builder.interim(event)
                case Phrase():
                    builder.finish(event)
                    yield builder.so_far()
                case ConnectionLost():
                    await attempt.restart()
                case StageFailed():
                    raise event
                case _:
                    summary = event.result()
                    builder.duration_ms = milliseconds(summary.pcm_bytes, RECOGNITION_RATE)
                    # The service sends nothing during a pause in the utterance.
                    seconds = self._final_seconds + summary.pause_seconds

    def _languages(self, hints: Hints) -> tuple[str, ...]:
        languages = tuple(dict.fromkeys(hints.languages)) or (self._language,)
        for language in languages:
            if not LANGUAGE.fullmatch(language):
                raise InvalidInput(f"{language!r} is no language tag.", code="language-invalid", stage="stt")
        if len(languages) > CANDIDATES:
            detail = f"Give at most {CANDIDATES} languages."
            raise InvalidInput(detail, code="languages-too-many", stage="stt")
        return languages


def _unsupported(languages: tuple[str, ...]) -> InvalidInput:
    """The error for *languages* that the service does not accept.

    The connection is opened for a language, and nothing else of it is chosen by a caller. Without one, the operator's
    own setting is wrong.
    """
    detail = f"Speech recognition does not support {' with '.join(languages)}. Name another language, or none."
    return InvalidInput(detail, code="language-unsupported", stage="stt")


def _phrases(hints: Hints) -> tuple[str, ...]:
    """The first `PHRASES` phrases, without characters that XML does not allow."""
    return tuple(filter(None, map(legal, hints.phrases)))[:PHRASES]


async def _first(sound: AsyncIterator[bytes]) -> bytes:
    """The first piece that is not empty. The SDK would report an empty stream as a timeout of the service."""
    async for pcm in sound:
        if pcm:
            return pcm
    raise NoSpeech("The utterance is empty.", stage="stt")


async def _feed(attempt: RecognitionAttempt, first: bytes, sound: AsyncIterator[bytes]) -> UtteranceSummary:
    """Write *first* and the rest of *sound*."""
    written, pause = len(first), LongestPause()
    attempt.write(first)
    pause.feed(first)
    async for pcm in sound:
        attempt.write(pcm)
        pause.feed(pcm)
        written += len(pcm)
    attempt.finish()
    return UtteranceSummary(written, pause.seconds)


async def _next(events: asyncio.Queue[Event], seconds: float | None) -> Event:
    try:
        async with timeouts.timeout(seconds):
            return await events.get()
    except TimeoutError as error:
        raise timed_out("stt") from error
