"""The sessions of one worker process."""

from voice_core.audio.limits import Limits
from voice_core.domain.session import SessionLimits
from voice_core.ports.media import Peers
from voice_core.settings import Settings
from voice_core.usecases.session.ice_servers import IceServers
from voice_core.usecases.session.sessions import Sessions
from voice_core.usecases.turn.request import TakeTurn


def sessions(settings: Settings, peers: Peers, ice: IceServers, audio: Limits, take_turn: TakeTurn) -> Sessions:
    """Sessions with the limits of *settings*, and with the limits of *audio* for each utterance."""
    return Sessions(
        peers,
        ice,
        take_turn=take_turn,
        limits=SessionLimits(
            idle_seconds=settings.session_idle_seconds,
            max_seconds=settings.session_max_seconds,
            grace_seconds=settings.session_grace_seconds,
        ),
        audio=audio,
        most=settings.sessions_max,
    )
