"""One synthesizer of the SDK: speaks one thing after another."""

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
"""After this an opening is under way. To speak in the moment in which it begins has the SDK wait for its timeout."""


@dataclass(frozen=True, slots=True)
class EndOfSpeech:
    """All of it was spoken."""

    request_id: str = ""
    """By which the service knows what it was asked."""


Spoken = bytes | EndOfSpeech | ConnectionLost | StageFailed


class Synthesizer:
    """Speaks one request at a time, on a connection that it keeps. What the SDK says is heard on the running loop."""

    def __init__(self, access: SpeechAccess) -> None:
        self._access = access
        self._connection = WatchedConnection(access, self._receive)
        self._tell = on_loop(asyncio.get_running_loop(), self._receive)
        self._listener: Callable[[Spoken], None] | None = None
        self._lock = Lock()
        self._synthesizer: sdk.SpeechSynthesizer | None = None
        self._discarded = False

    @classmethod
    async def make(cls, access: SpeechAccess, chunk_seconds: float) -> "Synthesizer":
        """One whose service may be silent for *chunk_seconds*, twice: the SDK tries again.

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
        return self._connection.stands

    async def open(self) -> bool:
        """Open the connection, or wait for it when it is being opened; False when that failed."""
        return await self._connection.open()

    async def ready(self) -> bool:
        """Wait until it can speak: also on a connection that is still being opened.

        Of one that could not be opened the SDK tells only when there is something to say on it.
        """
        if not self._connection.opening:
            return self.opened
        await self._connection.open(SETTLED_SECONDS)
        return self.opened or self._connection.opening

    async def speak(self, ssml: str, listener: Callable[[Spoken], None]) -> None:
        """Begin to speak; *listener* is called on the loop with whatever comes of it. One request at a time.

        Raises:
            StageFailed: with stage ``tts``.
        """
        self._listener = listener
        with our_errors("tts"):
            await self._access.run(self._speak, ssml, await self._access.token())

    def discard(self) -> None:
        """Stop, close the connection and free everything, without waiting for that. Nothing is heard from now on."""
        self._listener = None
        self._access.leave(self._free)

    def _build(self, token: str | None, chunk_seconds: float) -> None:
        config = self._access.config(token)
        config.set_speech_synthesis_output_format(FORMAT)
        # The default is 40 s. Whoever waits gives up before, so this only ends what nobody waits for.
        config.set_property_by_name("SpeechSynthesis_FirstChunkTimeoutMs", str(round(chunk_seconds * 1000)))
        with self._lock:
            if not self._discarded:
                self._synthesizer = self._watched(config)

    def _watched(self, config: "sdk.SpeechConfig") -> "sdk.SpeechSynthesizer":
        # Without an audio_config the SDK would look for a loudspeaker.
        synthesizer = sdk.SpeechSynthesizer(config, audio_config=None)
        synthesizer.synthesizing.connect(lambda event: self._tell(event.result.audio_data))
        synthesizer.synthesis_completed.connect(lambda event: self._tell(EndOfSpeech(event.result.result_id)))
        synthesizer.synthesis_canceled.connect(self._on_canceled)
        self._connection.attach(sdk.Connection.from_speech_synthesizer(synthesizer))
        return synthesizer

    def _speak(self, ssml: str, token: str | None) -> None:
        with self._lock:
            if self._synthesizer is None:
                return
            if token is not None:
                # The connection may have to be opened again.
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
            self._tell(canceled("tts", details.error_code, details.error_details))

    def _receive(self, spoken: Spoken) -> None:
        if self._listener is not None:
            self._listener(spoken)
