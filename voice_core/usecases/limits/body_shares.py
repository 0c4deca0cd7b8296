"""The memory that the request bodies of one user may take in this worker."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from voice_core import timeouts
from voice_core.domain.errors import LimitReached

RETRY_SECONDS = 5.0
"""When a user may try again whose earlier bodies did not leave any room in time."""


@dataclass(slots=True, eq=False)
class _Candidate:
    """A request that waits for *size* bytes, of at most *most_bytes* that its user may then hold."""

    size: int
    most_bytes: int
    room: asyncio.Future[None]
    admitted: bool = False


class _Share:
    """The bytes that one user holds, and the requests that wait, first come, first served."""

    def __init__(self) -> None:
        self.held_bytes = 0
        self.waiting: deque[_Candidate] = deque()


class BodyShares:
    """Lets each user hold large bodies up to a limit altogether; a further one waits for at most *wait_seconds*.

    A body is reserved in full. One that comes slowly only delays other bodies of the same user.
    """

    def __init__(self, wait_seconds: float) -> None:
        self._wait_seconds = wait_seconds
        self._shares: dict[str, _Share] = {}
        """By user id: only users who hold something or wait."""

    def held_bytes(self, user_id: str) -> int:
        """The bytes that the user holds at present."""
        return self._shares[user_id].held_bytes if user_id in self._shares else 0

    def waiting(self, user_id: str) -> int:
        """The bodies of the user that wait."""
        return len(self._shares[user_id].waiting) if user_id in self._shares else 0

    async def take(self, user_id: str, size: int, most_bytes: int) -> Callable[[], None]:
        """Reserve *size* bytes for the user, who then holds at most *most_bytes*, or this body alone.

        Returns:
            The function that frees them; it may be called repeatedly.

        Raises:
            LimitReached: ``bodies-in-flight``; earlier bodies of the user left no room in time.
        """
        share = self._shares.setdefault(user_id, _Share())
        room: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        candidate = _Candidate(size, most_bytes, room)
        share.waiting.append(candidate)
        self._admit(share)
        try:
            async with timeouts.timeout(self._wait_seconds):
                await room
        except TimeoutError as error:
            self._leave(user_id, share, candidate)
            raise LimitReached(
                "Your earlier recordings are still being read. Send this one when they have been.",
                code="bodies-in-flight",
                retry_after=RETRY_SECONDS,
            ) from error
        except BaseException:
            self._leave(user_id, share, candidate)
            raise
        return self._release_once(user_id, share, size)

    def _admit(self, share: _Share) -> None:
        """Let waiting requests go on as far as there is room: a body of any size when nothing else is held."""
        while share.waiting:
            first = share.waiting[0]
            if share.held_bytes and share.held_bytes + first.size > first.most_bytes:
                return
            share.waiting.popleft()
            if not first.room.done():
                first.admitted = True
                share.held_bytes += first.size
                first.room.set_result(None)

    def _leave(self, user_id: str, share: _Share, candidate: _Candidate) -> None:
        """Give up waiting, also for room that was made at this moment."""
        if candidate in share.waiting:
            share.waiting.remove(candidate)
        self._free(user_id, share, candidate.size if candidate.admitted else 0)

    def _release_once(self, user_id: str, share: _Share, size: int) -> Callable[[], None]:
        left = [size]

        def release() -> None:
            if left:
                self._free(user_id, share, left.pop())

        return release

    def _free(self, user_id: str, share: _Share, size: int) -> None:
        share.held_bytes -= size
        self._admit(share)
        if not share.held_bytes and not share.waiting:
            self._shares.pop(user_id, None)
