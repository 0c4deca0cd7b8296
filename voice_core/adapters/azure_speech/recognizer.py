"""One recogniser of the SDK: good for one utterance."""

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
    # What is there is sent as fast as the network takes it; the SDK would slow down after 5 s of audio.
    "SPEECH-TransmitLengthBeforeThrottleMs": "600000",
    # Of audio that the service has not acknowledged, the SDK would hold no more than 66 s.
    "SPEECH-MaxBufferSizeMs": "600000",
    # How often the SDK looks after its socket. The default of 10 costs a turn 20 ms; below 2 it never rests.
    "SPEECH-USPRunPollingInterval": "4",
    # We stop only what nobody waits for any more; the SDK would wait 10 s for what the service makes of it.
    "SPEECH-StopRecognitionTimeoutInSeconds": "0",
    # One retry, soon. The SDK sends again what was not acknowledged, so nothing is lost or heard twice. More retries,
    # by default four in a second, only make a failure late and a throttled service busier.
    "SPEECH-Error-MaxRetryCount": "1",
    "SPEECH-Error-RetryDurationMS": "100",
}


@dataclass(frozen=True, slots=True)
class EndOfRecognition:
    """The service has heard it all."""


Heard = Hypothesis | Phrase | EndOfRecognition | ConnectionLost | StageFailed


@dataclass(slots=True)
class _Parts:
    """What the SDK made. To free it is to wait for the SDK, so a thread does that."""

    stream: Any
    recognizer: Any
    phrases: Any = None

    def signals(self) -> tuple[Any, ...]:
        return self.recognizer.recognizing, self.recognizer.recognized, self.recognizer.canceled


class Recognizer:
    """Hears one utterance, in continuous mode to its end. What the SDK says is heard on the running loop."""

    def __init__(self, access: SpeechAccess, languages: tuple[str, ...]) -> None:
        self._access = access
        self._languages = languages
        self.session_id = ""
        """By which the service knows the connection: the SDK chooses it, when the connection is opened."""
        self._connection = WatchedConnection(access, self._hear)
        self._tell = on_loop(asyncio.get_running_loop(), self._receive)
        self._listener: Callable[[Heard], None] | None = None
        self._lock = Lock()
        self._parts: _Parts | None = None
        self._discarded = False

    @classmethod
    async def make(cls, access: SpeechAccess, languages: tuple[str, ...]) -> "Recognizer":
        """One for the only one of *languages*, or one that finds out which of them is spoken.

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
        return self._connection.stands

    async def open(self) -> bool:
        """Open the connection, or wait for it when it is being opened; False when that failed."""
        return await self._connection.open()

    async def ready(self) -> bool:
        """Likewise: of one that could not be opened the SDK tells at once."""
        return await self.open()

    async def start(self, phrases: tuple[str, ...], listener: Callable[[Heard], None]) -> None:
        """Begin to hear what is written; *listener* is called on the loop with whatever comes of it.

        `finish` may only be called after this. The SDK waits to see its pump running, and the pump of a short stream
        that is closed already is gone before it looks: that costs 500 ms.

        Raises:
            StageFailed: with stage ``stt``.
        """
        self._listener = listener
        with our_errors("stt"):
            await self._access.run(self._start, phrases, await self._access.token())

    def write(self, pcm: bytes) -> None:
        """Hear *pcm*, mono 16-bit at `RECOGNITION_RATE`; this copies it and returns."""
        if (parts := self._parts) is not None:
            parts.stream.write(pcm)

    def finish(self) -> None:
        """There is no more to hear."""
        if (parts := self._parts) is not None:
            parts.stream.close()

    def discard(self) -> None:
        """Stop, close the connection and free everything, without waiting for that. Nothing is heard from now on."""
        self._listener = None
        self._access.leave(self._free)

    def _build(self, token: str | None) -> None:
        config = self._access.config(token)
        config.set_properties_by_name(PROPERTIES)
        config.output_format = sdk.OutputFormat.Detailed
        config.request_word_level_timestamps()
        # The assistant must know what was said; masked words would be stars to it.
        config.set_profanity(sdk.ProfanityOption.Raw)
        with self._lock:
            if not self._discarded:
                self._parts = self._watched(config)

    def _watched(self, config: "sdk.SpeechConfig") -> _Parts:
        stream = sdk.audio.PushAudioInputStream(sdk.audio.AudioStreamFormat(samples_per_second=RECOGNITION_RATE))
        recognizer = _sdk_recognizer(config, sdk.audio.AudioConfig(stream=stream), self._languages)
        recognizer.recognizing.connect(lambda event: self._tell(Hypothesis(event.result.text)))
        recognizer.recognized.connect(lambda event: self._tell(_phrase(event.result)))
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
            self._tell(EndOfRecognition())
        elif details.reason == sdk.CancellationReason.Error:
            self._tell(canceled("stt", details.code, details.error_details))

    def _receive(self, heard: Heard) -> None:
        if isinstance(heard, StageFailed):
            # The SDK will not start again after this, though it may have been an idle connection's end.
            self._connection.lose()
        self._hear(heard)

    def _hear(self, heard: Heard) -> None:
        if self._listener is not None:
            self._listener(heard)


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
        failure = StageFailed("Speech recognition sent what nobody understands.", stage="stt")
        failure.__cause__ = error
        return failure
