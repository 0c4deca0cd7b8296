"""Limits of an upload: bytes, length and time to decode."""

from dataclasses import dataclass
from time import monotonic

from voice_core.domain.audio import RECOGNITION_RATE, SAMPLE_BYTES
from voice_core.domain.errors import InvalidAudio, TooLarge

MARGIN_SECONDS = 0.25
"""Tolerance above the longest length: codecs pad, so that a recording may decode to a little more."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one utterance."""

    max_bytes: int = 10_000_000
    max_seconds: float = 60.0
    decode_seconds: float = 10.0
    """Wall time to decode a container after it has arrived."""
    advice: str = " Long recordings go through /clips."
    """Appended to the error message for larger uploads."""

    def check_bytes(self, count: int) -> None:
        """Refuse an upload of *count* bytes if that is too many.

        Raises:
            TooLarge: ``audio-too-large``.
        """
        if count > self.max_bytes:
            detail = f"The audio has more than {self.max_bytes} bytes.{self.advice}"
            raise TooLarge(detail, code="audio-too-large")

    def check_seconds(self, seconds: float) -> None:
        """Refuse sound of this length if it is too long.

        Raises:
            TooLarge: ``audio-too-long``.
        """
        if seconds > self.max_seconds + MARGIN_SECONDS:
            detail = f"The audio lasts more than {self.max_seconds:g} seconds.{self.advice}"
            raise TooLarge(detail, code="audio-too-long")

    def check_pcm(self, pcm_bytes: int) -> None:
        """`check_seconds` of mono 16-bit PCM at 16 kHz."""
        self.check_seconds(pcm_bytes / (RECOGNITION_RATE * SAMPLE_BYTES))


class DecodingDeadline:
    """The time at which decoding gives up; the event loop sets it and the decoding thread checks it."""

    def __init__(self, seconds: float) -> None:
        self._ends = monotonic() + seconds

    def cancel(self) -> None:
        """End the decoding now: no caller waits for it any more."""
        self._ends = float("-inf")

    @property
    def passed(self) -> bool:
        return monotonic() > self._ends

    def check(self) -> None:
        """Give up if the deadline has passed.

        Raises:
            InvalidAudio: ``audio-unreadable``.
        """
        if self.passed:
            raise too_slow()


def too_slow() -> InvalidAudio:
    return InvalidAudio("Decoding the audio takes too long. Send it as WAV or in a smaller piece.")


MOST_LAYOUTS = 16
"""Pieces of a recording with different rates or channels: joined ones have some, and each needs a new resampler."""


def changes_too_often() -> InvalidAudio:
    return InvalidAudio("The recording changes its rate or channels too often. Send it in one format.")


def empty() -> InvalidAudio:
    return InvalidAudio("The recording has no sound in it. Check that the microphone is on.", code="audio-empty")
