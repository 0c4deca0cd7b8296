"""The pace at which a stream of sound arrives: as it is spoken, or faster."""

from collections.abc import Callable

LEAD_SECONDS = 2.0
"""Sound that may have been buffered before its first piece arrived; speech cannot be further ahead of the clock."""
DECISION_SECONDS = 0.25
"""Time after which the pace counts as known; most of an upload arrives within it."""


class Pace:
    """Compares the length of a stream's sound with the time since its first piece, by a *clock* in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began: float | None = None
        self._seconds = 0.0
        self._upload = False

    def hear(self, seconds: float) -> None:
        """Add a piece of sound that has just arrived."""
        if self._began is None:
            self._began = self._clock()
        self._seconds += seconds
        self._upload = self._upload or self._seconds - self._elapsed > LEAD_SECONDS

    @property
    def upload(self) -> bool:
        """Whether the sound has been faster than speech, so it was recorded before."""
        return self._upload

    @property
    def live(self) -> bool:
        """Whether the sound arrives as it is spoken; not known within the first `DECISION_SECONDS`."""
        return not self._upload and self._elapsed >= DECISION_SECONDS

    @property
    def _elapsed(self) -> float:
        return 0.0 if self._began is None else self._clock() - self._began
