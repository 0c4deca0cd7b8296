"""The sessions of one worker process."""

from voice_core.audio.limits import Limits
from voice_core.domain.session import SessionLimits
from voice_core.ports.media import Peers
from voice_core.settings import Settings
from voice_core.usecases.session.ice_servers import IceServers
from voice_core.usecases.session.sessions import Sessions
from voice_core.usecases.turn.request import TakeTurn
from voice_core.wiring.limits import UserLimits


def sessions(
    settings: Settings, peers: Peers, ice: IceServers, audio: Limits, user_limits: UserLimits, take_turn: TakeTurn
) -> Sessions:
    """Sessions with the limits of *settings*, with those of *audio* for each utterance, and with *user_limits*."""

    async def count_sound(user_id: str, heard_ms: int) -> None:
        await user_limits.audio_meter.add_audio(user_id, heard_ms)
        await user_limits.audio_meter.check_audio(user_id)

    return Sessions(
        peers,
        ice,
        take_turn=lambda request: user_limits.rate_limited_turn(request, take_turn),
        limits=SessionLimits(
            idle_seconds=settings.session_idle_seconds,
            max_seconds=settings.session_max_seconds,
            grace_seconds=settings.session_grace_seconds,
        ),
        audio=audio,
        count_sound=count_sound,
        most=settings.sessions_max,
        most_of_user=settings.sessions_per_user,
    )
