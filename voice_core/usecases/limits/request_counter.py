"""Rate limits of requests that cost too little to be counted in the store: each worker counts its own."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from time import monotonic

from voice_core.domain.limits import LimitStatus, LocalKind, Rate, Remainder
from voice_core.usecases.limits.local_usage import CACHE_SIZE


class RequestCounter:
    """Admits at most as many requests of each kind as *rates* allow, per user and worker.

    A window begins with the first request and ends after the rate's time, so two numbers per user and kind are enough:
    these limits are high. *clock* is in seconds; it must not jump, so it is not the time of day.
    """

    def __init__(self, rates: Mapping[LocalKind, Rate], clock: Callable[[], float] = monotonic) -> None:
        self._rates = rates
        self._clock = clock
        self._windows: OrderedDict[tuple[str, LocalKind], tuple[float, int]] = OrderedDict()
        """When each window began, and the number of requests in it; the least recently begun first."""

    def admit(self, user_id: str, kind: LocalKind) -> LimitStatus:
        """Count one more request of *kind*, unless the limit is reached."""
        rate, now, key = self._rates[kind], self._clock(), (user_id, kind)
        began, count = self._windows.get(key, (now, 0))
        if now - began >= rate.window_seconds:
            began, count = now, 0
        admitted = count < rate.most
        if admitted:
            count += 1
            self._store(key, (began, count))
        return LimitStatus(admitted, (Remainder(rate, rate.most - count, began + rate.window_seconds - now),))

    def _store(self, key: tuple[str, LocalKind], window: tuple[float, int]) -> None:
        self._windows[key] = window
        if window[1] == 1:
            self._windows.move_to_end(key)
        if len(self._windows) > CACHE_SIZE:
            self._windows.popitem(last=False)
