"""The real Speech SDK as a client of an emulator: its results, its speech, and its failures."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event
from time import monotonic
from typing import Any

import azure.cognitiveservices.speech as sdk

from voice_core.domain.audio import RECOGNITION_RATE

HANG_SECONDS = 60.0
PROPERTIES = {
    # Send audio as fast as possible, report a failure at once, and do not wait for the service when stopping.
    "SPEECH-TransmitLengthBeforeThrottleMs": "600000",
    "SPEECH-Error-MaxRetryCount": "0",
    "SPEECH-StopRecognitionTimeoutInSeconds": "0",
}


def config(url: str, key: str = "any", **properties: str) -> "sdk.SpeechConfig":
    """The configuration of an application, for raw speech at 24 kHz."""
    made = sdk.SpeechConfig(endpoint=url, subscription=key)
    made.set_properties_by_name(PROPERTIES | properties)
    made.set_speech_synthesis_output_format(sdk.SpeechSynthesisOutputFormat.Raw24Khz16BitMonoPcm)
    return made


class Call:
    """The recognition of one stream, and the SDK's results in order."""

    def __init__(
        self,
        config: "sdk.SpeechConfig",
        rate: int = RECOGNITION_RATE,
        *,
        languages: Sequence[str] = ("en-US",),
        phrases: Sequence[str] = (),
    ) -> None:
        self.interims: list[Any] = []
        self.finals: list[Any] = []
        self.detected: list[tuple[str, int]] = []
        """Where speech starts and ends, in ticks."""
        self.failure: Any = None
        """Details of a cancellation that is an error."""
        self._over = Event()
        self._stream = sdk.audio.PushAudioInputStream(sdk.audio.AudioStreamFormat(samples_per_second=rate))
        self._recognizer = _recognizer(config, sdk.audio.AudioConfig(stream=self._stream), languages)
        self._phrases = sdk.PhraseListGrammar.from_recognizer(self._recognizer)
        for phrase in phrases:
            self._phrases.addPhrase(phrase)
        self._listen()

    @property
    def words(self) -> str:
        return " ".join(final.text for final in self.finals if final.text).lower().replace(".", "")

    async def start(self) -> None:
        await asyncio.to_thread(lambda: self._recognizer.start_continuous_recognition_async().get())

    def write(self, pcm: bytes) -> None:
        self._stream.write(pcm)

    async def finish(self) -> None:
        """End the audio, and wait for the end of the session."""
        self._stream.close()
        assert await asyncio.to_thread(self._over.wait, HANG_SECONDS)
        await asyncio.to_thread(self._free)

    async def stop(self) -> None:
        """Stop before the end of the audio."""
        await asyncio.to_thread(lambda: self._recognizer.stop_continuous_recognition_async().get())
        await asyncio.to_thread(self._free)

    def _free(self) -> None:
        """Close the connection, for which the server waits."""
        for signal in self._signals():
            signal.disconnect_all()
        del self._phrases, self._recognizer

    def _signals(self) -> tuple[Any, ...]:
        recognizer = self._recognizer
        ends = (
            recognizer.speech_start_detected,
            recognizer.speech_end_detected,
            recognizer.canceled,
            recognizer.session_stopped,
        )
        return recognizer.recognizing, recognizer.recognized, *ends

    def _listen(self) -> None:
        self._recognizer.recognizing.connect(lambda event: self.interims.append(event.result))
        self._recognizer.recognized.connect(lambda event: self.finals.append(event.result))
        self._recognizer.speech_start_detected.connect(lambda event: self.detected.append(("start", event.offset)))
        self._recognizer.speech_end_detected.connect(lambda event: self.detected.append(("end", event.offset)))
        self._recognizer.canceled.connect(self._on_canceled)
        self._recognizer.session_stopped.connect(lambda _: self._over.set())

    def _on_canceled(self, event: Any) -> None:
        if event.cancellation_details.reason == sdk.CancellationReason.Error:
            self.failure = event.cancellation_details


@dataclass
class Speech:
    """The SDK's result for one text."""

    chunks: list[bytes] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    """Seconds from the request to each chunk."""
    failure: Any = None
    """Details of a cancellation."""

    @property
    def pcm(self) -> bytes:
        return b"".join(self.chunks)


async def recognise(config: "sdk.SpeechConfig", pcm: bytes, rate: int = RECOGNITION_RATE, **options: Any) -> Call:
    """Recognise *pcm* to its end, in continuous mode, with the *options* of `Call`."""
    call = Call(config, rate, **options)
    await call.start()
    call.write(pcm)
    await call.finish()
    return call


async def recognise_once(config: "sdk.SpeechConfig", pcm: bytes, rate: int = RECOGNITION_RATE) -> Any:
    """The SDK's result for the first phrase of *pcm*."""
    stream = sdk.audio.PushAudioInputStream(sdk.audio.AudioStreamFormat(samples_per_second=rate))
    recognizer = sdk.SpeechRecognizer(config, sdk.audio.AudioConfig(stream=stream))
    future = recognizer.recognize_once_async()
    stream.write(pcm)
    stream.close()
    return await asyncio.to_thread(future.get)


async def speak(config: "sdk.SpeechConfig", ssml: str) -> Speech:
    """Speak *ssml* to its end."""
    return await asyncio.to_thread(_speak, config, ssml)


def ssml(text: str, voice: str = "en-US-JennyNeural") -> str:
    """An SSML document for *text*, which may contain markup."""
    xmlns = "http://www.w3.org/2001/10/synthesis"
    return f'<speak version="1.0" xmlns="{xmlns}" xml:lang="en-US"><voice name="{voice}">{text}</voice></speak>'


def _recognizer(config: "sdk.SpeechConfig", audio: Any, languages: Sequence[str]) -> Any:
    if len(languages) == 1:
        return sdk.SpeechRecognizer(config, audio, language=languages[0])
    candidates = sdk.languageconfig.AutoDetectSourceLanguageConfig(languages=list(languages))
    return sdk.SpeechRecognizer(config, audio, auto_detect_source_language_config=candidates)


def _speak(config: "sdk.SpeechConfig", ssml: str) -> Speech:
    synthesizer, speech, over = sdk.SpeechSynthesizer(config, audio_config=None), Speech(), Event()
    begun = monotonic()

    def take(event: Any) -> None:
        speech.chunks.append(event.result.audio_data)
        speech.arrived.append(monotonic() - begun)

    def fail(event: Any) -> None:
        speech.failure = event.result.cancellation_details
        over.set()

    synthesizer.synthesizing.connect(take)
    synthesizer.synthesis_canceled.connect(fail)
    synthesizer.synthesis_completed.connect(lambda _: over.set())
    # The result is available before the last chunks have been reported.
    synthesizer.speak_ssml_async(ssml).get()
    assert over.wait(HANG_SECONDS)
    return speech
