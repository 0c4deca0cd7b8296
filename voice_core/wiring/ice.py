"""The ICE servers of sessions, by the settings."""

from voice_core.environ import read_ice_servers
from voice_core.settings import Settings
from voice_core.usecases.session.ice_servers import IceServers


def ice_servers(settings: Settings) -> IceServers:
    """The STUN servers and relays of *settings*."""
    return IceServers(
        fixed=read_ice_servers(settings.ice_servers),
        turn_urls=tuple(settings.turn_urls.split()),
        turn_secret=settings.turn_secret,
        turn_seconds=settings.turn_seconds,
    )
