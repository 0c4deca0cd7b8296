"""Text to speech."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from voice_core import telemetry, timeouts
from voice_core.adapters.azure_speech.access import SpeechAccess
from voice_core.adapters.azure_speech.connection import ConnectionLost
from voice_core.adapters.azure_speech.connection_pool import ConnectionPool
from voice_core.adapters.azure_speech.failures import timed_out
from voice_core.adapters.azure_speech.ssml import legal, ssml
from voice_core.adapters.azure_speech.synthesis_attempt import NEXT, SynthesisAttempt
from voice_core.adapters.azure_speech.synthesizer import EndOfSpeech, Synthesizer
from voice_core.adapters.azure_speech.voices import Voices, list_voices
from voice_core.domain.audio import SAMPLE_BYTES
from voice_core.domain.errors import StageFailed
from voice_core.domain.speech import Voice


class AzureTextToSpeech:
    """Speaks on Azure Speech, in *voice* unless another is requested.

    *chunk_seconds* is how long the service may be silent, before the first chunk and between chunks. Synthesizers are
    reused: up to *ready* wait with an open connection, each for *keep_seconds*.

    The SDK reopens a connection that was closed meanwhile, and retries a request once if it failed before its first
    chunk, so nothing is spoken twice.
    """

    def __init__(
        self,
        access: SpeechAccess,
        *,
        voice: str = "en-US-AvaMultilingualNeural",
        chunk_seconds: float = 10.0,
        ready: int = 16,
        keep_seconds: float = 120.0,
    ) -> None:
        self._access = access
        self._voice = voice
        self._chunk_seconds = chunk_seconds
        self._voices = Voices(access)
        self._synthesizers: ConnectionPool[str, Synthesizer] = ConnectionPool(
            self._make, size=ready, keep_seconds=keep_seconds
        )

    async def warm(self, voice: str | None) -> None:
        """Open a connection for the next `synthesize`; a failure to connect is ignored.

        Raises:
            InvalidInput: ``voice-unknown``.
            StageFailed: with stage ``tts``; no token could be obtained.
        """
        await asyncio.gather(self._synthesizers.prepare(NEXT), self._require(voice))

    async def check(self) -> None:
        """Request the list of voices.

        Raises:
            StageFailed: with stage ``tts``.
        """
        await list_voices(self._access, "tts")

    async def voices(self) -> Sequence[Voice]:
        """All voices, as the service listed them within the last day.

        Raises:
            StageFailed: with stage ``tts``.
        """
        return await self._voices.all()

    async def close(self) -> None:
        """Close the pooled connections; the access stays open."""
        await self._synthesizers.close()

    async def synthesize(self, text: str, voice: str | None) -> AsyncGenerator[bytes]:
        """Speak *text*, plain text, in *voice* or the default one.

        Yields mono 16-bit PCM at 24 kHz as it arrives, in complete samples; nothing for a blank text.

        Raises:
            InvalidInput: ``voice-unknown``, if the list of voices is available.
            StageFailed: with stage ``tts``.
        """
        if not legal(text).strip():
            return
        await self._require(voice)
        attempt = SynthesisAttempt(self._synthesizers, ssml(text, voice or self._voice))
        try:
            with telemetry.call("synthesize", {"peer.service": "speech"}) as facts:
                await attempt.begin()
                odd = b""
                while not isinstance(chunk := await self._next(attempt), EndOfSpeech):
                    samples, odd = _split_samples(odd + chunk)
                    if samples:
                        yield samples
                facts["voice.speech.request"] = chunk.request_id
        except StageFailed:
            attempt.discard()
            raise
        except BaseException:
            # Barge-in. Stopping closes the connection, so the synthesizer is not reused.
            attempt.discard()
            self._synthesizers.prepare_soon(NEXT)
            raise
        attempt.put_back()

    async def _require(self, voice: str | None) -> None:
        if voice is not None and voice != self._voice:
            await self._voices.require(voice)

    async def _make(self, _: str) -> Synthesizer:
        return await Synthesizer.make(self._access, self._chunk_seconds)

    async def _next(self, attempt: SynthesisAttempt) -> bytes | EndOfSpeech:
        try:
            async with timeouts.timeout(self._chunk_seconds):
                event = await attempt.events.get()
        except TimeoutError as error:
            raise timed_out("tts") from error
        if isinstance(event, ConnectionLost):
            await attempt.restart()
            return await self._next(attempt)
        if isinstance(event, StageFailed):
            raise event
        return event


def _split_samples(pcm: bytes) -> tuple[bytes, bytes]:
    """The complete samples in *pcm*, and the rest."""
    size = len(pcm) - len(pcm) % SAMPLE_BYTES
    return pcm[:size], pcm[size:]
