"""PocketSphinx at work on one phrase; needs a process of its own, because it keeps the interpreter locked."""

import math
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pocketsphinx import Decoder, get_model_path

from emulators.speech.pauses import SPEECH_DBFS, WINDOW_SECONDS, dbfs
from emulators.speech.recognizers.hints import Pronunciations, hinted_decoder, pronunciations

RATE = 16_000
"""Hertz, of the acoustic model."""
SETTINGS: dict[str, object] = {
    "samprate": RATE,
    "loglevel": "FATAL",
    # batch is what lets a first pass over a little sound tell the mean of its cepstra.
    "cmn": "batch",
    # Scores are relative to the best senone that was computed; only with all of them can two decoders be compared.
    "compallsen": True,
}
WINDOW_BYTES = 2 * round(WINDOW_SECONDS * RATE)
FRAMES_PER_SECOND = 100
HELD_SECONDS = 0.6
"""Sound that is awaited before decoding: without the mean of its cepstra, errors treble."""
TRAINED_SHARE = 0.1
"""Of the model's own mean in a phrase's: the first sound alone may be one vowel."""
LEAD_SECONDS = 0.3
"""Silence that is kept before the first sound."""
HINT_MARGIN = 0.15
"""Logarithm of how much worse the hinted path may score and still be preferred: how strong phrase lists are."""
HINTED_DECODERS = 4
"""Phrase lists for which decoders are kept."""


class Decoders:
    """The decoders of this process, made when first needed."""

    def __init__(self) -> None:
        self._general = Decoder(**SETTINGS)
        self._pronunciations: Pronunciations | None = None
        self._hinted: OrderedDict[tuple[str, ...], Decoder | None] = OrderedDict()

    def hearing(self, phrases: Sequence[str]) -> list[Decoder]:
        """The decoder of everything and, if it helps, the one of *phrases*."""
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


class Listener:
    """Hears one phrase with one or two decoders, and believes the better."""

    def __init__(self, decoders: Sequence[Decoder]) -> None:
        self._decoders = decoders
        self._unheard = b""
        self._held = bytearray()
        self._sound_seconds = 0.0
        self._skipped_seconds = 0.0
        self._decoding = False

    def hear(self, pcm: bytes) -> str:
        """Take the next sound at `RATE`; gives the words so far."""
        sound = self._unheard + pcm
        # Whole windows only: the same sound gives the same words, however it was cut into messages.
        windows = range(0, len(sound) - WINDOW_BYTES + 1, WINDOW_BYTES)
        for start in windows:
            self._take(sound[start : start + WINDOW_BYTES])
        self._unheard = sound[len(windows) * WINDOW_BYTES :]
        best = self._best() if self._decoding else None
        return best.hyp().hypstr if best else ""

    def finish(self) -> dict[str, Any]:
        """The words, with seconds from the phrase's first sample, and how sure they are (0 to 1)."""
        self._take(self._unheard)
        if not self._decoding and not self._sound_seconds:
            return {"words": [], "confidence": 0.0}
        self._start()
        self.stop()
        best = self._best()
        if best is None:
            return {"words": [], "confidence": 0.0}
        return {
            "words": [self._word(s) for s in best.seg() if s.word[0] not in "<["],
            "confidence": _sure(best.hyp().prob),
        }

    def stop(self) -> None:
        if self._decoding:
            for decoder in self._decoders:
                decoder.end_utt()

    def _take(self, window: bytes) -> None:
        if self._decoding:
            self._decode(window)
        else:
            self._hold(window)

    def _hold(self, window: bytes) -> None:
        self._held += window
        if dbfs(window) > SPEECH_DBFS:
            self._sound_seconds += WINDOW_SECONDS
        if not self._sound_seconds:
            surplus = max(0, len(self._held) - 2 * round(LEAD_SECONDS * RATE))
            self._skipped_seconds += surplus / 2 / RATE
            del self._held[:surplus]
        if self._sound_seconds >= HELD_SECONDS:
            self._start()

    def _start(self) -> None:
        """Begin to decode what was held, unless that has happened."""
        if self._decoding:
            return
        held, self._held = bytes(self._held), bytearray()
        mean = _cepstral_mean(self._decoders[0], held)
        for decoder in self._decoders:
            _begin(decoder)
            decoder.set_cmn(mean)
        self._decoding = True
        self._decode(held)

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
            "confidence": _sure(segment.prob),
        }


def _begin(decoder: Decoder) -> None:
    """Begin a phrase. What the decoder has learnt of the mean and the noise of earlier sound would change its words."""
    decoder.reinit_feat()
    decoder.start_utt()


def _cepstral_mean(decoder: Decoder, pcm: bytes) -> str:
    """The mean of the first sound's cepstra, with a share of the mean that the model was trained on."""
    _begin(decoder)
    trained = _numbers(decoder.get_cmn(False))
    decoder.process_raw(pcm, True, True)
    heard = _numbers(decoder.get_cmn(False))
    decoder.end_utt()
    means = (TRAINED_SHARE * t + (1 - TRAINED_SHARE) * h for t, h in zip(trained, heard, strict=True))
    return ",".join(f"{mean:g}" for mean in means)


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split(",")]


def _score(decoder: Decoder) -> float:
    return math.log(max(decoder.hyp().score, 1e-300))


def _sure(probability: float) -> float:
    return min(1.0, max(0.0, probability))
