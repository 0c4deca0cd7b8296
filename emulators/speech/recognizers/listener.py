"""Recognition of one phrase with PocketSphinx. It runs in a separate process, because PocketSphinx holds the GIL."""

import math
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pocketsphinx import Decoder, get_model_path

from emulators.speech.pauses import SPEECH_DBFS, WINDOW_SECONDS, dbfs
from emulators.speech.recognizers.hints import Pronunciations, hinted_decoder, pronunciations

RATE = 16_000
"""Hertz of the acoustic model."""
SETTINGS: dict[str, object] = {
    "samprate": RATE,
    "loglevel": "FATAL",
    # batch makes it possible to compute the mean of the cepstra in a first pass over a short piece of audio.
    "cmn": "batch",
    # Scores are relative to the best senone that was computed, so two decoders are comparable only with all senones.
    "compallsen": True,
}
WINDOW_BYTES = 2 * round(WINDOW_SECONDS * RATE)
FRAMES_PER_SECOND = 100
BUFFERED_SECONDS = 0.6
"""Speech that is collected before decoding, for the mean of its cepstra; without that, errors treble."""
TRAINED_SHARE = 0.1
"""Share of the model's own mean in a phrase's mean: the first sound alone may be a single vowel."""
LEAD_SECONDS = 0.3
"""Silence before the first sound that is decoded."""
HINT_MARGIN = 0.15
"""Weight of phrase lists: the hinted decoder is preferred if its log score is worse by at most this."""
HINTED_DECODERS = 4
"""Phrase lists for which decoders are cached."""


class Decoders:
    """The decoders of this process; those for phrase lists are created when first needed."""

    def __init__(self) -> None:
        self._general = Decoder(**SETTINGS)
        self._pronunciations: Pronunciations | None = None
        self._hinted: OrderedDict[tuple[str, ...], Decoder | None] = OrderedDict()

    def hearing(self, phrases: Sequence[str]) -> list[Decoder]:
        """The general decoder and, if the dictionary has words of *phrases*, the hinted one."""
        hinted = self._for(tuple(phrases)) if phrases else None
        return [self._general] if hinted is None else [self._general, hinted]

    def _for(self, phrases: tuple[str, ...]) -> Decoder | None:
        if phrases not in self._hinted:
            if self._pronunciations is None:
                self._pronunciations = pronunciations(Path(get_model_path("en-us"), "cmudict-en-us.dict"))
            general = self._general.get_lm()
            self._hinted[phrases] = hinted_decoder(phrases, self._pronunciations, general, SETTINGS)
            if len(self._hinted) > HINTED_DECODERS:
                self._hinted.popitem(last=False)
        self._hinted.move_to_end(phrases)
        return self._hinted[phrases]


class PhraseRecognizer:
    """Recognises one phrase with one or two decoders, and returns the better result."""

    def __init__(self, decoders: Sequence[Decoder]) -> None:
        self._decoders = decoders
        self._partial_window = b""
        self._buffered = bytearray()
        self._sound_seconds = 0.0
        self._skipped_seconds = 0.0
        self._decoding = False

    def hear(self, pcm: bytes) -> str:
        """Add audio at `RATE`; returns the words so far."""
        sound = self._partial_window + pcm
        # Complete windows only: the same audio gives the same words, however it was divided into messages.
        windows = range(0, len(sound) - WINDOW_BYTES + 1, WINDOW_BYTES)
        for start in windows:
            self._take(sound[start : start + WINDOW_BYTES])
        self._partial_window = sound[len(windows) * WINDOW_BYTES :]
        best = self._best() if self._decoding else None
        return best.hyp().hypstr if best else ""

    def finish(self) -> dict[str, Any]:
        """The words, with times in seconds from the phrase's first sample, and the confidence (0 to 1)."""
        self._take(self._partial_window)
        if not self._decoding and not self._sound_seconds:
            return {"words": [], "confidence": 0.0}
        self._start()
        self.stop()
        best = self._best()
        if best is None:
            return {"words": [], "confidence": 0.0}
        return {
            "words": [self._word(s) for s in best.seg() if s.word[0] not in "<["],
            "confidence": _clamped(best.hyp().prob),
        }

    def stop(self) -> None:
        if self._decoding:
            for decoder in self._decoders:
                decoder.end_utt()

    def _take(self, window: bytes) -> None:
        if self._decoding:
            self._decode(window)
        else:
            self._buffer(window)

    def _buffer(self, window: bytes) -> None:
        self._buffered += window
        if dbfs(window) > SPEECH_DBFS:
            self._sound_seconds += WINDOW_SECONDS
        if not self._sound_seconds:
            surplus = max(0, len(self._buffered) - 2 * round(LEAD_SECONDS * RATE))
            self._skipped_seconds += surplus / 2 / RATE
            del self._buffered[:surplus]
        if self._sound_seconds >= BUFFERED_SECONDS:
            self._start()

    def _start(self) -> None:
        """Begin to decode the buffered audio, unless decoding has begun."""
        if self._decoding:
            return
        buffered, self._buffered = bytes(self._buffered), bytearray()
        mean = _cepstral_mean(self._decoders[0], buffered)
        for decoder in self._decoders:
            _begin(decoder)
            decoder.set_cmn(mean)
        self._decoding = True
        self._decode(buffered)

    def _decode(self, pcm: bytes) -> None:
        if not pcm:  # PocketSphinx raises IndexError.
            return
        for decoder in self._decoders:
            decoder.process_raw(pcm, False, False)

    def _best(self) -> Decoder | None:
        scored = [(decoder, _score(decoder)) for decoder in self._decoders if decoder.hyp() is not None]
        if not scored:
            return None
        general, hinted = scored[0], scored[-1]
        return hinted[0] if hinted[1] >= general[1] - HINT_MARGIN else general[0]

    def _word(self, segment: Any) -> dict[str, Any]:
        return {
            "text": segment.word.partition("(")[0],
            "start": self._skipped_seconds + segment.start_frame / FRAMES_PER_SECOND,
            "seconds": (segment.end_frame - segment.start_frame + 1) / FRAMES_PER_SECOND,
            "confidence": _clamped(segment.prob),
        }


def _begin(decoder: Decoder) -> None:
    """Begin a phrase with fresh features: the mean and the noise of earlier audio would change the result."""
    decoder.reinit_feat()
    decoder.start_utt()


def _cepstral_mean(decoder: Decoder, pcm: bytes) -> str:
    """The mean of the first audio's cepstra, mixed with a share of the mean that the model was trained on."""
    _begin(decoder)
    trained = _numbers(decoder.get_cmn(False))
    decoder.process_raw(pcm, True, True)
    measured = _numbers(decoder.get_cmn(False))
    decoder.end_utt()
    means = (TRAINED_SHARE * t + (1 - TRAINED_SHARE) * m for t, m in zip(trained, measured, strict=True))
    return ",".join(f"{mean:g}" for mean in means)


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split(",")]


def _score(decoder: Decoder) -> float:
    return math.log(max(decoder.hyp().score, 1e-300))


def _clamped(probability: float) -> float:
    return min(1.0, max(0.0, probability))
