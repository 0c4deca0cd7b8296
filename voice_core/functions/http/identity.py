"""Who is speaking."""

from voice_core import wiring
from voice_core.functions.http.request import Incoming


async def authenticate(incoming: Incoming) -> None:
    """Find out who is calling, by the headers alone.

    Raises:
        Unauthenticated: they do not say, or not so that it can be believed.
        Unreachable: with stage ``identity``; it cannot be told just now.
    """
    app = wiring.app()
    await app.load_callers()
    incoming.user_id = await app.callers.identify(incoming.headers)


def user_id(incoming: Incoming) -> str:
    """Whose conversations these are."""
    if not incoming.user_id:
        raise LookupError("Nobody has asked who is calling: serve this with http.served.")
    return incoming.user_id
