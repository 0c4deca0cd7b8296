"""An open session, as others find it by its id."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from voice_core.domain.session import IceServer, Reason, State
from voice_core.usecases.session.live_session import LiveSession


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """What can be said of a session while it lasts and for a while after."""

    id: str
    user_id: str
    conversation_id: str
    state: State
    reason: Reason | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that has just been opened."""

    live: LiveSession
    servers: Sequence[IceServer]
    expires_at: datetime


def _known(opened: OpenSession) -> SessionStatus:
    live = opened.live
    return SessionStatus(
        live.id,
        live.new_session.user_id,
        live.new_session.conversation_id,
        live.session.state,
        live.session.reason,
        opened.expires_at,
    )
