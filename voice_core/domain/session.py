"""A live media connection: its states, its limits and its messages.

The state machine has no clock: callers pass the time, in seconds of one clock of their choice.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import ClassVar

from voice_core.domain.errors import VoiceError


class State(StrEnum):
    NEGOTIATING = "negotiating"
    CONNECTED = "connected"
    """The connection is up and idle."""
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"
    CLOSED = "closed"


class Reason(StrEnum):
    """Why a session was closed."""

    DELETED = "deleted"
    """The client requested it."""
    CLIENT_LEFT = "client-left"
    """The client ended the response that was held open, or closed the connection."""
    NEVER_CONNECTED = "never-connected"
    PEER_LOST = "peer-lost"
    """The client was lost, and has not been heard again within the grace period."""
    IDLE = "idle"
    TOO_OLD = "too-old"
    REPLACED = "replaced"
    """The user opened a session more than one user may have."""
    EXCEEDED = "exceeded"
    """The client sent more than a session may: packets, messages, or data that it never completed."""
    FAILED = "failed"
    """An error of ours."""
    STOPPED = "stopped"
    """The worker stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """Seconds after which a session closes by itself."""

    connect_seconds: float = 40.0
    """From the SDP answer to the media connection: ICE has to wait 39.5 s for candidates (RFC 8863, 4)."""
    idle_seconds: float = 120.0
    """Without a turn."""
    max_seconds: float = 1800.0
    """Total duration."""
    grace_seconds: float = 15.0
    """After the client was lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The state of a session. Every change returns a new object; a closed session never changes."""

    began: float
    limits: SessionLimits = field(default_factory=SessionLimits)
    state: State = State.NEGOTIATING
    active: float | None = None
    """When the state last changed."""
    lost: float | None = None
    """When the client was found to be lost: it had been silent for some seconds by then."""
    reason: Reason | None = None

    @property
    def closed(self) -> bool:
        return self.state is State.CLOSED

    @property
    def waiting(self) -> bool:
        """Whether it is open, and no turn is in progress."""
        return self.state in (State.NEGOTIATING, State.CONNECTED)

    @property
    def expires(self) -> float:
        """When it closes at the latest."""
        return self.began + self.limits.max_seconds

    def enter(self, state: State, now: float) -> "Session":
        """Change to *state*. Only CONNECTED leaves NEGOTIATING, and only `close` leads to CLOSED."""
        if self.closed or state in (State.NEGOTIATING, State.CLOSED):
            return self
        if self.state is State.NEGOTIATING and state is not State.CONNECTED:
            return self
        return replace(self, state=state, active=now)

    def lose(self, now: float) -> "Session":
        """Nothing is received from the client any more."""
        return self if self.closed or self.lost is not None else replace(self, lost=now)

    def find(self) -> "Session":
        """Something is received from the client again."""
        return self if self.closed else replace(self, lost=None)

    def close(self, reason: Reason) -> "Session":
        """Close the session; the first reason counts."""
        return self if self.closed else replace(self, state=State.CLOSED, reason=reason)

    def ends(self) -> tuple[float, Reason]:
        """When it closes by itself unless something happens before, and why."""
        ends = [(self.expires, Reason.TOO_OLD)]
        if self.state is State.NEGOTIATING:
            ends.append((self.began + self.limits.connect_seconds, Reason.NEVER_CONNECTED))
        if self.state is State.CONNECTED and self.active is not None:
            ends.append((self.active + self.limits.idle_seconds, Reason.IDLE))
        if self.lost is not None:
            ends.append((self.lost + self.limits.grace_seconds, Reason.PEER_LOST))
        return min(ends)

    def at(self, now: float) -> "Session":
        """The session at *now*: closed if its time is up."""
        moment, reason = self.ends()
        return self.close(reason) if now >= moment else self


@dataclass(frozen=True, slots=True)
class Press:
    """The button went down: a new utterance begins, and the reply that plays is stopped."""


@dataclass(frozen=True, slots=True)
class Release:
    """The button went up: the utterance has ended."""

    trailing_ms: int = 0
    """How much of the end of the utterance the client's microphone may not have sent yet."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop the turn."""


@dataclass(frozen=True, slots=True)
class TextInput:
    """A typed turn."""

    text: str


@dataclass(frozen=True, slots=True)
class Update:
    """Options of the following turns; None leaves an option unchanged."""

    voice: str | None = None
    language: str | None = None
    phrases: tuple[str, ...] | None = None
    hands_free: bool | None = None


Control = Press | Release | Cancel | TextInput | Update
"""A control message of the client on the data channel."""


@dataclass(frozen=True, slots=True)
class StateChanged:
    type: ClassVar = "session.state"
    state: State


@dataclass(frozen=True, slots=True)
class SessionClosed:
    type: ClassVar = "session.closed"
    reason: Reason


@dataclass(frozen=True, slots=True)
class ControlRefused:
    """A control message was refused; nothing has changed."""

    type: ClassVar = "error"
    error: VoiceError = field(compare=False)


SessionEvent = StateChanged | SessionClosed | ControlRefused


@dataclass(frozen=True, slots=True)
class PeerConnected:
    """Media can flow."""


@dataclass(frozen=True, slots=True)
class PeerMessage:
    """Text from the data channel."""

    text: str


@dataclass(frozen=True, slots=True)
class PeerSilent:
    """Nothing has been received from the client for a while."""


@dataclass(frozen=True, slots=True)
class PeerResumed:
    """Something is received from the client again."""


@dataclass(frozen=True, slots=True)
class PeerExceeded:
    """The client has sent more than a session may."""


@dataclass(frozen=True, slots=True)
class PeerClosed:
    """The connection has ended."""


PeerEvent = PeerConnected | PeerMessage | PeerSilent | PeerResumed | PeerExceeded | PeerClosed


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN server or a relay."""

    urls: tuple[str, ...]
    username: str = ""
    credential: str = ""
