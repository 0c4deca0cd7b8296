"""The number of streams that a user may have open at the same time, per worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakSet, WeakValueDictionary

from voice_core import telemetry
from voice_core.domain.errors import LimitReached

RETRY_SECONDS = 5.0
"""``Retry-After`` of a refused stream: when another one ends is not known."""


class StreamSlot:
    """Permission for one stream. It ends with `release`, or when nothing refers to it any more."""

    def __init__(self, slots: "WeakSet[StreamSlot]") -> None:
        self._slots = slots
        slots.add(self)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Release the slot at the end of the block."""
        try:
            yield
        finally:
            self._slots.discard(self)


class StreamSlots:
    """At most *most* streams per user; *name* is that of the limit."""

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._users: WeakValueDictionary[str, WeakSet[StreamSlot]] = WeakValueDictionary()
        """The slots of each user who has any: each slot refers to the set that it is in."""

    def count(self, user_id: str) -> int:
        """The number of the user's open streams."""
        return len(self._users.get(user_id, ()))

    def acquire(self, user_id: str) -> StreamSlot:
        """A slot for one more stream of the user.

        Raises:
            LimitReached: as many are open.
        """
        slots = self._users.setdefault(user_id, WeakSet())
        if self.count(user_id) >= self._most:
            telemetry.event("limited", {"limit": self._name})
            raise LimitReached(
                f"You have {self._most} streams open. Close one, or read the state without a stream.",
                retry_after=RETRY_SECONDS,
                extra={"violated-policies": [self._name]},
            )
        return StreamSlot(slots)
