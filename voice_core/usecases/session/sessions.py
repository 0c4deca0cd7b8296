"""The sessions of this worker."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from voice_core.audio.limits import Limits
from voice_core.domain.errors import Busy, LimitReached, NotFound
from voice_core.domain.session import Reason, SessionLimits
from voice_core.ports.media import Peers
from voice_core.usecases.idempotency.fingerprint import IdempotentRequest
from voice_core.usecases.session.hands_free import CountSound
from voice_core.usecases.session.ice_servers import IceServers
from voice_core.usecases.session.live_session import LiveSession
from voice_core.usecases.session.open_session import OpenSession, SessionStatus, session_status
from voice_core.usecases.session.openings import Openings
from voice_core.usecases.session.request import MessageCodec, NewSession
from voice_core.usecases.turn.request import TakeTurn

REMEMBERED = 200
"""Ended sessions whose status is still available."""

BUSY_SECONDS = 30.0
"""The Retry-After of a full worker, or user: another session or turn may have ended by then."""


class Sessions:
    """Opens sessions, at most *most* at once and *most_of_user* of one user, and finds them by their ids."""

    def __init__(
        self,
        peers: Peers,
        ice: IceServers,
        *,
        take_turn: TakeTurn,
        limits: SessionLimits,
        audio: Limits,
        count_sound: CountSound,
        most: int,
        most_of_user: int,
    ) -> None:
        self._peers = peers
        self._ice = ice
        self._take_turn = take_turn
        self._limits = limits
        self._audio = audio
        self._count_sound = count_sound
        self._most, self._most_of_user = most, most_of_user
        self._opening: Counter[str] = Counter()
        """Sessions that are being opened, by user."""
        self._replacing: set[LiveSession] = set()
        """Sessions that end when another is open."""
        self._live: dict[str, tuple[OpenSession, asyncio.Task[None]]] = {}
        self._ended: OrderedDict[str, SessionStatus] = OrderedDict()
        self._openings = Openings()

    async def open(self, new_session: NewSession, offer: str, codec: MessageCodec) -> OpenSession:
        """Answer *offer*, SDP, and serve the session from then on.

        If the user has as many as one may have, the oldest in which no turn is in progress ends.

        Raises:
            Busy: ``too-many-sessions``.
            LimitReached: in all sessions of the user, a turn is in progress.
            InvalidInput: ``offer-invalid`` or ``offer-tcp-only``.
            StageFailed: with stage ``relay``.
        """
        replaced = self._replaced(new_session.user_id)
        if replaced is None and len(self._live) + self._opening.total() >= self._most:
            raise Busy(
                "This instance has no room for another session. Use POST /process; it accepts the same conversationId.",
                code="too-many-sessions",
                retry_after=BUSY_SECONDS,
            )
        servers = self._ice.mint(uuid4().hex)
        with self._opens(new_session.user_id, replaced):
            peer = await self._peers.answer(offer, servers)
        live = LiveSession(
            new_session,
            peer,
            take_turn=self._take_turn,
            codec=codec,
            limits=self._limits,
            audio=self._audio,
            count_sound=self._count_sound,
        )
        opened = OpenSession(live, servers, datetime.now(UTC) + timedelta(seconds=self._limits.max_seconds))
        serving = asyncio.create_task(live.run())
        self._live[live.id] = opened, serving
        serving.add_done_callback(lambda _: self._forget(opened))
        return opened

    @contextmanager
    def _opens(self, user_id: str, replaced: LiveSession | None) -> Iterator[None]:
        """Count a session that is being opened; once it is open, *replaced* ends."""
        replacing: set[LiveSession] = set() if replaced is None else {replaced}
        self._opening[user_id] += 1
        self._replacing |= replacing
        try:
            yield
            for live in replacing:
                live.close(Reason.REPLACED)
        finally:
            self._opening -= Counter((user_id,))
            self._replacing -= replacing

    def _replaced(self, user_id: str) -> LiveSession | None:
        """The user's session that ends when another is opened; None when there is room for one more."""
        theirs = [
            opened.live
            for opened, _ in self._live.values()
            if opened.live.new_session.user_id == user_id and not opened.live.session.closed
        ]
        if len(theirs) + self._opening[user_id] < self._most_of_user:
            return None
        waiting = next((live for live in theirs if live.session.waiting and live not in self._replacing), None)
        if waiting is None:
            raise LimitReached(
                f"You have {self._most_of_user} sessions that are being opened, or with a turn in progress. End one, or"
                " use POST /process; it accepts the same conversationId.",
                code="sessions-busy",
                retry_after=BUSY_SECONDS,
                extra={"violated-policies": ["sessions-at-once"]},
            )
        return waiting

    async def open_once(
        self, new_session: NewSession, offer: str, codec: MessageCodec, request: IdempotentRequest
    ) -> tuple[OpenSession, bool]:
        """As `open`, but returns the session that *request* opened before, if it is still open.

        The second value is True when the session was opened before. Also raises as `Openings.open` does.
        """
        return await self._openings.open(request, lambda: self.open(new_session, offer, codec))

    def live(self, user_id: str, session_id: str) -> LiveSession:
        """The user's open session.

        Raises:
            NotFound: ``session-not-found``.
        """
        opened, _ = self._live.get(session_id, (None, None))
        if opened is None or opened.live.new_session.user_id != user_id:
            raise _unknown()
        return opened.live

    def status(self, user_id: str, session_id: str) -> SessionStatus:
        """The status of a session that is open or has ended; raises NotFound, ``session-not-found``."""
        opened, _ = self._live.get(session_id, (None, None))
        status = self._ended.get(session_id) if opened is None else session_status(opened)
        if status is None or status.user_id != user_id:
            raise _unknown()
        return status

    def close_session(self, user_id: str, session_id: str) -> SessionStatus:
        """End a session, if it has not ended; raises NotFound, ``session-not-found``."""
        if not self.status(user_id, session_id).reason:
            self.live(user_id, session_id).close(Reason.DELETED)
        return self.status(user_id, session_id)

    async def close(self) -> None:
        """End all sessions."""
        serving = [task for _, task in self._live.values()]
        for opened, _ in self._live.values():
            opened.live.close(Reason.STOPPED)
        if serving:
            await asyncio.wait(serving)

    def _forget(self, opened: OpenSession) -> None:
        del self._live[opened.live.id]
        self._ended[opened.live.id] = session_status(opened)
        if len(self._ended) > REMEMBERED:
            self._ended.popitem(last=False)


def _unknown() -> NotFound:
    return NotFound(
        "You have no such session on this instance. It may have ended, or belong to another instance; to continue its"
        " conversation, use POST /process.",
        code="session-not-found",
    )
