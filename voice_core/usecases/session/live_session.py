"""An open session: control messages and sound of the client become turns, whose events are sent and speech played."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import uuid4

from voice_core import telemetry
from voice_core.audio.limits import Limits
from voice_core.domain.errors import LimitReached, VoiceError
from voice_core.domain.events import Event
from voice_core.domain.session import (
    ControlRefused,
    PeerClosed,
    PeerConnected,
    PeerEvent,
    PeerExceeded,
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
from voice_core.domain.token_bucket import TokenBucket
from voice_core.ports.media import Peer
from voice_core.usecases.session.hands_free import CountSound
from voice_core.usecases.session.request import MessageCodec, NewSession, SentEvent
from voice_core.usecases.session.session_turns import SessionTurns
from voice_core.usecases.turn.request import TakeTurn

FRAGMENTS_PER_SECOND = 1
FRAGMENTS_AT_ONCE = 40
"""Fragments with candidates that one client may send: more than it may have candidates."""


class LiveSession:
    """One client's session, from its SDP answer to its end."""

    def __init__(
        self,
        new_session: NewSession,
        peer: Peer,
        *,
        take_turn: TakeTurn,
        codec: MessageCodec,
        limits: SessionLimits,
        audio: Limits,
        count_sound: CountSound,
    ) -> None:
        self.id = uuid4().hex
        self.new_session = new_session
        self.peer = peer
        self._codec = codec
        self.session = Session(began=_now(), limits=limits)
        self._turns = SessionTurns(
            new_session,
            peer,
            take_turn=take_turn,
            audio=audio,
            count_sound=count_sound,
            send=self._send,
            enter=self._enter,
        )
        self._fragments = TokenBucket(FRAGMENTS_PER_SECOND, FRAGMENTS_AT_ONCE)
        self._waiting: asyncio.Timeout | None = None
        self.open_streams = 0
        """Event streams that keep the session open; it is closed when the last one ends."""
        self._followers: list[asyncio.Queue[SentEvent | None]] = []

    async def run(self) -> None:
        """Serve the session until it is closed, then free its resources."""
        telemetry.event("session-started", {"session": self.id}, user_id=self.new_session.user_id)
        try:
            while not (self._at_now()).closed:
                if (event := await self._next()) is not None:
                    self._handle(event)
        except Exception:  # noqa: BLE001 - an error of one session must not affect others
            telemetry.unexpected("session")
            self.session = self.session.close(Reason.FAILED)
        finally:
            await self._free()

    def close(self, reason: Reason) -> None:
        """Close the session for *reason*; `run` ends it soon after."""
        self.session = self.session.close(reason)
        if self._waiting is not None:
            self._waiting.reschedule(_now())

    async def add_candidates(self, fragment: str) -> None:
        """Add addresses of the client, from an SDP fragment; also raises as `Peer.add_candidates` does.

        Raises:
            LimitReached: this session has sent too many fragments.
        """
        if not self._fragments.take(_now()):
            detail = f"A session may send {FRAGMENTS_AT_ONCE} fragments at once, and one a second. Send several"
            raise LimitReached(
                f"{detail} candidates in one fragment.",
                retry_after=1 / FRAGMENTS_PER_SECOND,
                extra={"violated-policies": ["fragments"]},
            )
        await self.peer.add_candidates(fragment)

    def follow(self) -> AsyncGenerator[SentEvent]:
        """The events that are sent from now on, to the session's end."""
        queue: asyncio.Queue[SentEvent | None] = asyncio.Queue()
        self._followers.append(queue)
        return self._queued(queue)

    async def _queued(self, queue: asyncio.Queue[SentEvent | None]) -> AsyncGenerator[SentEvent]:
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._followers.remove(queue)

    def _at_now(self) -> Session:
        self.session = self.session.at(_now())
        return self.session

    async def _next(self) -> PeerEvent | None:
        """The next event of the peer; None when a time limit of the session may have passed."""
        try:
            async with asyncio.timeout_at(self.session.ends()[0]) as self._waiting:
                return await self.peer.happened()
        except TimeoutError:
            return None
        finally:
            self._waiting = None

    def _handle(self, event: PeerEvent) -> None:
        match event:
            case PeerConnected() if self.session.state is State.NEGOTIATING:
                self._connected()
            case PeerMessage(text):
                self._control(text)
            case PeerSilent():
                self.session = self.session.lose(_now())
            case PeerResumed() | PeerConnected():
                self.session = self.session.find()
            case PeerExceeded():
                self.close(Reason.EXCEEDED)
            case PeerClosed():
                never = self.session.state is State.NEGOTIATING
                self.close(Reason.NEVER_CONNECTED if never else Reason.CLIENT_LEFT)

    def _connected(self) -> None:
        self._enter(State.CONNECTED)
        self._turns.open()

    def _control(self, text: str) -> None:
        try:
            self._turns.handle(self._codec.read(text))
        except VoiceError as error:
            self._send(ControlRefused(error))

    def _enter(self, state: State) -> None:
        before = self.session.state
        self.session = self.session.enter(state, _now())
        if self.session.state is not before:
            self._send(StateChanged(self.session.state))

    def _send(self, event: Event | SessionEvent) -> None:
        sent = SentEvent(event.type, self._codec.write(event))
        self.peer.send(sent.text)
        for follower in self._followers:
            follower.put_nowait(sent)

    async def _free(self) -> None:
        """End the turn, send the reason of the end, and close the connection."""
        reason = self.session.reason or Reason.STOPPED
        try:
            await self._turns.finish()
            self._send(SessionClosed(reason))
        finally:
            await self.peer.aclose()
            for follower in self._followers:
                follower.put_nowait(None)
        ended = {"session": self.id, "reason": reason, "seconds": round(_now() - self.session.began)}
        telemetry.event("session", ended, user_id=self.new_session.user_id)


def _now() -> float:
    return asyncio.get_running_loop().time()
