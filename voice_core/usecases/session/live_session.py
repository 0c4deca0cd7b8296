"""A session while it lasts: what the client says becomes turns, and what happens in them is told and played."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import uuid4

from voice_core import telemetry
from voice_core.audio.limits import Limits
from voice_core.domain.errors import VoiceError
from voice_core.domain.events import Event
from voice_core.domain.session import (
    ControlRefused,
    PeerClosed,
    PeerConnected,
    PeerEvent,
    PeerMessage,
    PeerResumed,
    PeerSilent,
    Reason,
    Session,
    SessionClosed,
    SessionEvent,
    SessionLimits,
    State,
    StateChanged,
)
from voice_core.ports.media import Peer
from voice_core.usecases.session.request import MessageCodec, NewSession, SentEvent
from voice_core.usecases.session.session_turns import SessionTurns
from voice_core.usecases.turn.request import TakeTurn


class LiveSession:
    """One client's session, from its answer to its end."""

    def __init__(
        self,
        new_session: NewSession,
        peer: Peer,
        *,
        take_turn: TakeTurn,
        wire: MessageCodec,
        limits: SessionLimits,
        audio: Limits,
    ) -> None:
        self.id = uuid4().hex
        self.new_session = new_session
        self.peer = peer
        self._wire = wire
        self.session = Session(began=_now(), limits=limits)
        self._turns = SessionTurns(
            new_session, peer, take_turn=take_turn, audio=audio, tell=self._tell, enter=self._enter
        )
        self._waiting: asyncio.Timeout | None = None
        self.holders = 0
        """Answers that are held open, and the session with them."""
        self._followers: list[asyncio.Queue[SentEvent | None]] = []

    async def run(self) -> None:
        """Serve the session until it is closed, and free all that it holds."""
        telemetry.event("session-started", {"session": self.id}, user_id=self.new_session.user_id)
        try:
            while not (self._at_now()).closed:
                if (event := await self._next()) is not None:
                    self._take(event)
        except Exception:  # noqa: BLE001 - whatever it is, one session's mistake must not outlive it
            telemetry.unexpected("session")
            self.session = self.session.close(Reason.FAILED)
        finally:
            await self._free()

    def close(self, reason: Reason) -> None:
        """End it soon."""
        self.session = self.session.close(reason)
        if self._waiting is not None:
            self._waiting.reschedule(_now())

    def follow(self) -> AsyncGenerator[SentEvent]:
        """All that is told from now on, to the session's end."""
        told: asyncio.Queue[SentEvent | None] = asyncio.Queue()
        self._followers.append(told)
        return self._told(told)

    async def _told(self, told: asyncio.Queue[SentEvent | None]) -> AsyncGenerator[SentEvent]:
        try:
            while (one := await told.get()) is not None:
                yield one
        finally:
            self._followers.remove(told)

    def _at_now(self) -> Session:
        self.session = self.session.at(_now())
        return self.session

    async def _next(self) -> PeerEvent | None:
        """What happens next; None when it is time to look at the clock."""
        try:
            async with asyncio.timeout_at(self.session.ends()[0]) as self._waiting:
                return await self.peer.happened()
        except TimeoutError:
            return None
        finally:
            self._waiting = None

    def _take(self, event: PeerEvent) -> None:
        match event:
            case PeerConnected() if self.session.state is State.NEGOTIATING:
                self._connected()
            case PeerMessage(text):
                self._hear(text)
            case PeerSilent():
                self.session = self.session.lose(_now())
            case PeerResumed() | PeerConnected():
                self.session = self.session.find()
            case PeerClosed():
                never = self.session.state is State.NEGOTIATING
                self.close(Reason.NEVER_CONNECTED if never else Reason.CLIENT_LEFT)

    def _connected(self) -> None:
        self._enter(State.CONNECTED)
        self._turns.open()

    def _hear(self, text: str) -> None:
        try:
            self._turns.obey(self._wire.read(text))
        except VoiceError as error:
            self._tell(ControlRefused(error))

    def _enter(self, state: State) -> None:
        before = self.session.state
        self.session = self.session.enter(state, _now())
        if self.session.state is not before:
            self._tell(StateChanged(self.session.state))

    def _tell(self, event: Event | SessionEvent) -> None:
        told = SentEvent(event.type, self._wire.write(event))
        self.peer.send(told.text)
        for follower in self._followers:
            follower.put_nowait(told)

    async def _free(self) -> None:
        """End the turn, tell so, and let go of the connection."""
        reason = self.session.reason or Reason.STOPPED
        try:
            await self._turns.finish()
            self._tell(SessionClosed(reason))
        finally:
            await self.peer.aclose()
            for follower in self._followers:
                follower.put_nowait(None)
        ended = {"session": self.id, "reason": reason, "seconds": round(_now() - self.session.began)}
        telemetry.event("session", ended, user_id=self.new_session.user_id)


def _now() -> float:
    return asyncio.get_running_loop().time()
