"""Who is speaking."""

from voice_core import wiring
from voice_core.functions.http.request import HttpRequest


async def authenticate(request: HttpRequest) -> None:
    """Find out who is calling, by the headers alone.

    Raises:
        Unauthenticated: they do not say, or not so that it can be believed.
        Unreachable: with stage ``identity``; it cannot be told just now.
    """
    app = wiring.app()
    await app.load_callers()
    request.user_id = await app.callers.identify(request.headers)


def user_id(request: HttpRequest) -> str:
    """Whose conversations these are."""
    if not request.user_id:
        raise LookupError("Nobody has asked who is calling: serve this with http.served.")
    return request.user_id
