"""A recogniser of the SDK, for one utterance."""

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
from voice_core.adapters.azure_speech.transcript_builder import Hypothesis, Phrase
from voice_core.domain.audio import RECOGNITION_RATE
from voice_core.domain.errors import StageFailed

PROPERTIES = {
    # Audio is sent as fast as the network allows; by default the SDK slows down after 5 s of audio.
    "SPEECH-TransmitLengthBeforeThrottleMs": "600000",
    # By default the SDK buffers at most 66 s of audio that the service has not acknowledged.
    "SPEECH-MaxBufferSizeMs": "600000",
    # Milliseconds between polls of the socket. The default of 10 costs a turn 20 ms; below 2 the SDK never sleeps.
    "SPEECH-USPRunPollingInterval": "4",
    # We only stop recognitions whose result no caller needs; by default the SDK waits 10 s for the result.
    "SPEECH-StopRecognitionTimeoutInSeconds": "0",
    # One retry, soon. The SDK resends the audio that was not acknowledged, so none is lost or recognised twice. More
    # retries, by default four in a second, only delay a failure and add load to a throttled service.
    "SPEECH-Error-MaxRetryCount": "1",
    "SPEECH-Error-RetryDurationMS": "100",
}


@dataclass(frozen=True, slots=True)
class EndOfRecognition:
    """The service has recognised all of the utterance."""


RecognitionEvent = Hypothesis | Phrase | EndOfRecognition | ConnectionLost | StageFailed


@dataclass(slots=True)
class _Parts:
    """Objects of the SDK. Freeing them waits for the SDK, so a thread does that."""

    stream: Any
    recognizer: Any
    phrases: Any = None

    def signals(self) -> tuple[Any, ...]:
        return self.recognizer.recognizing, self.recognizer.recognized, self.recognizer.canceled


class Recognizer:
    """Recognises one utterance, in continuous mode to its end. Events of the SDK arrive on the running loop."""

    def __init__(self, access: SpeechAccess, languages: tuple[str, ...]) -> None:
        self._access = access
        self._languages = languages
        self.session_id = ""
        """The service's id of the connection. The SDK chooses it when it opens the connection."""
        self._connection = WatchedConnection(access, self._forward)
        self._post = on_loop(asyncio.get_running_loop(), self._receive)
        self._listener: Callable[[RecognitionEvent], None] | None = None
        self._lock = Lock()
        self._parts: _Parts | None = None
        self._discarded = False

    @classmethod
    async def make(cls, access: SpeechAccess, languages: tuple[str, ...]) -> "Recognizer":
        """A recogniser for *languages*; if there are several, it detects which of them is spoken.

        Raises:
            StageFailed: with stage ``stt``.
        """
        recognizer = cls(access, languages)
        try:
            with our_errors("stt"):
                await access.run(recognizer._build, await access.token())
        except BaseException:
            recognizer.discard()
            raise
        return recognizer

    @property
    def opened(self) -> bool:
        return self._connection.is_open

    async def open(self) -> bool:
        """Open the connection, or wait while it is being opened; False if that failed."""
        return await self._connection.open()

    async def ready(self) -> bool:
        """As `open`: the SDK reports at once that a connection could not be opened."""
        return await self.open()

    async def start(self, phrases: tuple[str, ...], listener: Callable[[RecognitionEvent], None]) -> None:
        """Begin to recognise what is written; *listener* is called on the loop with the results.

        Call `finish` only after this. The SDK waits until its pump runs; for a short stream that is already closed, the
        pump has ended before the SDK checks, which costs 500 ms.

        Raises:
            StageFailed: with stage ``stt``.
        """
        self._listener = listener
        with our_errors("stt"):
            await self._access.run(self._start, phrases, await self._access.token())

    def write(self, pcm: bytes) -> None:
        """Recognise *pcm*, mono 16-bit at `RECOGNITION_RATE`; this copies it and returns."""
        if (parts := self._parts) is not None:
            parts.stream.write(pcm)

    def finish(self) -> None:
        """End of the audio."""
        if (parts := self._parts) is not None:
            parts.stream.close()

    def discard(self) -> None:
        """Stop, close the connection and free everything, without waiting for completion. No more events follow."""
        self._listener = None
        self._access.run_detached(self._free)

    def _build(self, token: str | None) -> None:
        config = self._access.config(token)
        config.set_properties_by_name(PROPERTIES)
        config.output_format = sdk.OutputFormat.Detailed
        config.request_word_level_timestamps()
        # The assistant must receive the words; masked words would be asterisks.
        config.set_profanity(sdk.ProfanityOption.Raw)
        with self._lock:
            if not self._discarded:
                self._parts = self._watched(config)

    def _watched(self, config: "sdk.SpeechConfig") -> _Parts:
        stream = sdk.audio.PushAudioInputStream(sdk.audio.AudioStreamFormat(samples_per_second=RECOGNITION_RATE))
        recognizer = _sdk_recognizer(config, sdk.audio.AudioConfig(stream=stream), self._languages)
        recognizer.recognizing.connect(lambda event: self._post(Hypothesis(event.result.text)))
        recognizer.recognized.connect(lambda event: self._post(_phrase(event.result)))
        recognizer.canceled.connect(self._on_canceled)
        self._connection.attach(sdk.Connection.from_recognizer(recognizer))
        return _Parts(stream, recognizer)

    def _start(self, phrases: tuple[str, ...], token: str | None) -> None:
        with self._lock:
            if (parts := self._parts) is None:
                return
            if token is not None:
                parts.recognizer.authorization_token = token
            parts.phrases = sdk.PhraseListGrammar.from_recognizer(parts.recognizer)
            for phrase in phrases:
                parts.phrases.addPhrase(phrase)
            parts.recognizer.start_continuous_recognition_async().get()
            self.session_id = parts.recognizer.properties.get_property(sdk.PropertyId.Speech_SessionId)

    def _free(self) -> None:
        with self._lock:
            self._discarded = True
            parts, self._parts = self._parts, None
        if parts is None:
            return
        with suppress(RuntimeError):
            parts.recognizer.stop_continuous_recognition_async().get()
        for signal in parts.signals():
            signal.disconnect_all()
        self._connection.detach()

    def _on_canceled(self, event: Any) -> None:
        details = event.cancellation_details
        if details.reason == sdk.CancellationReason.EndOfStream:
            self._post(EndOfRecognition())
        elif details.reason == sdk.CancellationReason.Error:
            self._post(canceled("stt", details.code, details.error_details))

    def _receive(self, event: RecognitionEvent) -> None:
        if isinstance(event, StageFailed):
            # The SDK does not start again after this, even if the cause was only a closed idle connection.
            self._connection.mark_closed()
        self._forward(event)

    def _forward(self, event: RecognitionEvent) -> None:
        if self._listener is not None:
            self._listener(event)


def _sdk_recognizer(config: "sdk.SpeechConfig", audio: Any, languages: tuple[str, ...]) -> "sdk.SpeechRecognizer":
    if len(languages) == 1:
        return sdk.SpeechRecognizer(config, audio, language=languages[0])
    detection = sdk.languageconfig.AutoDetectSourceLanguageConfig(languages=list(languages))
    return sdk.SpeechRecognizer(config, audio, auto_detect_source_language_config=detection)


def _phrase(result: Any) -> Phrase | StageFailed:
    if result.reason != sdk.ResultReason.RecognizedSpeech:
        return Phrase("")
    try:
        return Phrase.read(result.json, result.text)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        failure = StageFailed("Speech recognition's response could not be parsed.", stage="stt")
        failure.__cause__ = error
        return failure
