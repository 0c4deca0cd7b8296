"""Mixes sound of several channels to one, by what the channels carry."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""Samples at full scale from -1 to 1."""

_BLOCKS_PER_SECOND = 50
"""Decisions a second: blocks of 20 ms have spectra with bins of 50 Hz."""

_RAMPS_PER_SECOND = 200
"""The weights change within 5 ms: at once, they would click."""

_SPEECH_BINS = slice(4, 80)
"""200 to 4,000 Hz: voices are in this band, mains hum, DC and the hiss of converters are mostly not."""

_FADE = 0.7
"""Share of the past in a decision: a channel that falls silent is forgotten by 15 dB in 0.2 s."""

_FIRST_NOISE, _LEAST_NOISE = 1e-6, 1e-8
"""Mean squares of the noise that a channel is assumed to have at first (-60 dB), and at least."""

_NOISE_RISE = 1.07
"""Most growth of that noise from block to block: 15 dB in a second, in which speech has a gap."""

_NOISE_MARGIN = 2.0
"""Noise is at most so many times its lowest recent power."""

_LEAST_SHARE = 1e-3
"""Share of the loudest channel's power below which a channel's speech decides nothing: it would be inaudible anyway."""

_OPPOSED = -0.6
"""Correlation below which a channel is the inverse of another: their difference is twice as loud as their sum."""


_LEAST_CHANGE = 1e-3
"""Smaller changes of weights, of less than 0.01 dB, are inaudible."""

_UNDECIDED = 1e-6
"""Products of weights closer to 0 have no sign but that of rounding."""


class Downmix:
    """Mixes *channels* channels to one.

    The weights follow the channels' levels, as in an automatic microphone mixer (D. Dugan, "Automatic Microphone
    Mixing", J. AES 23(6), 1975): speech in one of many channels is as loud as in a mono recording, and so is the same
    speech in all of them. Steady noise does not count as a level, however loud it is. The mix is as loud as its loudest
    channel. No channel is amplified, and channels that are the same at full scale stay at full scale. A channel in
    opposite phase to the others, as from an adapter that inverts it, is inverted again.

    The weights are decided every 20 ms from the sound before, so that nothing waits and the result does not depend on
    how the sound was cut into pieces. At the start all weights are equal; while no one speaks they do not change.
    """

    def __init__(self, rate: int, channels: int) -> None:
        """*rate* of the input, hertz."""
        self._block: Samples = np.zeros((rate // _BLOCKS_PER_SECOND, channels), np.float32)
        self._filled = 0
        self._ramp: Samples = np.arange(1, rate // _RAMPS_PER_SECOND + 1, dtype=np.float32)
        self._ramp /= len(self._ramp)
        self._weights: Samples = np.full(channels, 1 / channels, np.float32)
        self._before = self._weights
        """The weights at the start of the block."""
        self._recent = np.zeros((channels, channels))
        """Covariance of the channels, in which the past fades."""
        self._noise = np.full(channels, _FIRST_NOISE)
        """Mean square of each channel's steady noise."""
        self._all = np.zeros((channels, channels))
        """The same of all sound: the phase of a channel does not change."""

    def mono(self, frames: Samples) -> Samples:
        """*frames*, shape (n, channels), as one channel."""
        if frames.shape[1] == 1:
            return frames[:, 0]
        mixed: Samples = np.empty(len(frames), np.float32)
        at = 0
        while at < len(frames):
            piece = frames[at : at + len(self._block) - self._filled]
            mixed[at : at + len(piece)] = self._mixed(piece)
            at += len(piece)
        return mixed

    def _mixed(self, piece: Samples) -> Samples:
        """Part of a block as one channel; at the block's end, decides on the next block."""
        start, end = self._filled, self._filled + len(piece)
        # Channel by channel: the sum of each sample is independent of the number of samples.
        mixed: Samples = piece[:, 0] * self._weights[0]
        for channel in range(1, piece.shape[1]):
            mixed += piece[:, channel] * self._weights[channel]
        if start < len(self._ramp) and self._before is not self._weights:
            ramp = self._ramp[start:end]
            mixed[: len(ramp)] = self._changing(piece[: len(ramp)], ramp)
        self._block[start:end] = piece
        self._filled = end % len(self._block)
        if not self._filled:
            self._decide()
        return mixed

    def _changing(self, piece: Samples, ramp: Samples) -> Samples:
        """Part of a block as one channel, where the weights change."""
        mixed: Samples = np.zeros(len(piece), np.float32)
        for channel, (before, weight) in enumerate(zip(self._before, self._weights, strict=True)):
            mixed += piece[:, channel] * (before + (weight - before) * ramp)
        return mixed

    def _decide(self) -> None:
        """The weights of the next block."""
        spectrum = np.fft.rfft(self._block, axis=0)[_SPEECH_BINS].astype(np.complex128)
        products = (spectrum.conj().T @ spectrum).real * (2 / len(self._block) ** 2)
        self._recent = _FADE * self._recent + (1 - _FADE) * products
        self._all += products
        self._before = self._weights
        powers = np.diag(self._recent)
        self._noise = np.maximum(np.minimum(self._noise * _NOISE_RISE, powers), _LEAST_NOISE)
        speech = np.maximum(powers - _NOISE_MARGIN * self._noise, 0.0)
        if speech.max() > _LEAST_SHARE * powers.max():
            weights = _weights(self._recent, speech, _signs(self._all))
            # The polarity of the whole mix does not matter, but it must not change.
            same = (weights if weights @ self._before > -_UNDECIDED else -weights).astype(np.float32)
            if np.abs(same - self._before).max() > _LEAST_CHANGE:
                self._weights = same


def _signs(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """-1 for the channels in opposite phase to the first loud one, 1 for the others."""
    powers = np.diag(covariance)
    first = int(np.argmax(powers >= powers.max() / 2))
    opposed = covariance[first] < _OPPOSED * np.sqrt(powers * powers[first])
    return np.where(opposed, -1.0, 1.0)


def _weights(
    covariance: NDArray[np.float64], speech: NDArray[np.float64], signs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weights in proportion to the level of *speech*, with which the mix is as loud as the loudest; none is above 1."""
    loudest = int(np.argmax(speech))
    levels = np.sqrt(speech / speech[loudest])
    weights = signs * levels / levels.sum()
    mixed = max(float(weights @ covariance @ weights), 1e-30)
    gain = min(np.sqrt(covariance[loudest, loudest] / mixed), levels.sum())
    scaled: NDArray[np.float64] = weights * gain
    return scaled
