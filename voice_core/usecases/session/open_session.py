"""An open session, and the status of a session by its id."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from voice_core.domain.session import IceServer, Reason, State
from voice_core.usecases.session.live_session import LiveSession


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """The state of a session, available while it is open and for some time after."""

    id: str
    user_id: str
    conversation_id: str
    state: State
    reason: Reason | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session with the ICE servers that were given to its client."""

    live: LiveSession
    servers: Sequence[IceServer]
    expires_at: datetime


def session_status(opened: OpenSession) -> SessionStatus:
    live = opened.live
    return SessionStatus(
        live.id,
        live.new_session.user_id,
        live.new_session.conversation_id,
        live.session.state,
        live.session.reason,
        opened.expires_at,
    )
