"""A synthesizer of the SDK, for one text after another."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any

import azure.cognitiveservices.speech as sdk

from voice_core.adapters.azure_speech.access import SpeechAccess
from voice_core.adapters.azure_speech.connection import ConnectionLost, WatchedConnection, on_loop
from voice_core.adapters.azure_speech.failures import canceled, our_errors
from voice_core.domain.errors import StageFailed

FORMAT = sdk.SpeechSynthesisOutputFormat.Raw24Khz16BitMonoPcm

SETTLED_SECONDS = 0.05
"""Time after which the SDK has begun to open a connection. A request just when that begins would wait for the SDK's
timeout."""


@dataclass(frozen=True, slots=True)
class EndOfSpeech:
    """All speech has been delivered."""

    request_id: str = ""
    """The service's id of the request."""


SynthesisEvent = bytes | EndOfSpeech | ConnectionLost | StageFailed


class Synthesizer:
    """Speaks one text at a time, on a connection that stays open. Events of the SDK arrive on the running loop."""

    def __init__(self, access: SpeechAccess) -> None:
        self._access = access
        self._connection = WatchedConnection(access, self._receive)
        self._post = on_loop(asyncio.get_running_loop(), self._receive)
        self._listener: Callable[[SynthesisEvent], None] | None = None
        self._lock = Lock()
        self._synthesizer: sdk.SpeechSynthesizer | None = None
        self._discarded = False

    @classmethod
    async def make(cls, access: SpeechAccess, chunk_seconds: float) -> "Synthesizer":
        """A synthesizer whose service may be silent for *chunk_seconds*, twice, because the SDK retries.

        Raises:
            StageFailed: with stage ``tts``.
        """
        synthesizer = cls(access)
        try:
            with our_errors("tts"):
                await access.run(synthesizer._build, await access.token(), chunk_seconds)
        except BaseException:
            synthesizer.discard()
            raise
        return synthesizer

    @property
    def opened(self) -> bool:
        return self._connection.is_open

    async def open(self) -> bool:
        """Open the connection, or wait while it is being opened; False if that failed."""
        return await self._connection.open()

    async def ready(self) -> bool:
        """Wait until it can speak, which it also can on a connection that is still being opened.

        The SDK reports that a connection could not be opened only when there is something to speak.
        """
        if not self._connection.opening:
            return self.opened
        await self._connection.open(SETTLED_SECONDS)
        return self.opened or self._connection.opening

    async def speak(self, ssml: str, listener: Callable[[SynthesisEvent], None]) -> None:
        """Begin to speak; *listener* is called on the loop with the results. One request at a time.

        Raises:
            StageFailed: with stage ``tts``.
        """
        self._listener = listener
        with our_errors("tts"):
            await self._access.run(self._speak, ssml, await self._access.token())

    def discard(self) -> None:
        """Stop, close the connection and free everything, without waiting for completion. No more events follow."""
        self._listener = None
        self._access.run_detached(self._free)

    def _build(self, token: str | None, chunk_seconds: float) -> None:
        config = self._access.config(token)
        config.set_speech_synthesis_output_format(FORMAT)
        # The default is 40 s. Callers have their own, shorter timeout, so this only ends abandoned requests.
        config.set_property_by_name("SpeechSynthesis_FirstChunkTimeoutMs", str(round(chunk_seconds * 1000)))
        with self._lock:
            if not self._discarded:
                self._synthesizer = self._watched(config)

    def _watched(self, config: "sdk.SpeechConfig") -> "sdk.SpeechSynthesizer":
        # Without an audio_config the SDK would look for a loudspeaker.
        synthesizer = sdk.SpeechSynthesizer(config, audio_config=None)
        synthesizer.synthesizing.connect(lambda event: self._post(event.result.audio_data))
        synthesizer.synthesis_completed.connect(lambda event: self._post(EndOfSpeech(event.result.result_id)))
        synthesizer.synthesis_canceled.connect(self._on_canceled)
        self._connection.attach(sdk.Connection.from_speech_synthesizer(synthesizer))
        return synthesizer

    def _speak(self, ssml: str, token: str | None) -> None:
        with self._lock:
            if self._synthesizer is None:
                return
            if token is not None:
                # The SDK may have to reopen the connection.
                self._synthesizer.authorization_token = token
            self._synthesizer.start_speaking_ssml_async(ssml).get()

    def _free(self) -> None:
        with self._lock:
            self._discarded = True
            synthesizer, self._synthesizer = self._synthesizer, None
        if synthesizer is None:
            return
        with suppress(RuntimeError):
            synthesizer.stop_speaking_async().get()
        for signal in (synthesizer.synthesizing, synthesizer.synthesis_completed, synthesizer.synthesis_canceled):
            signal.disconnect_all()
        self._connection.detach()

    def _on_canceled(self, event: Any) -> None:
        details = event.result.cancellation_details
        if details.reason == sdk.CancellationReason.Error:
            self._post(canceled("tts", details.error_code, details.error_details))

    def _receive(self, event: SynthesisEvent) -> None:
        if self._listener is not None:
            self._listener(event)
