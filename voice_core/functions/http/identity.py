"""The caller's identity."""

from voice_core import wiring
from voice_core.functions.http.request import HttpRequest


async def authenticate(request: HttpRequest) -> None:
    """Identify the caller, by the headers alone, and set ``request.user_id``.

    Raises:
        Unauthenticated: the headers name no user, or their token or sign-in header is not accepted.
        Unreachable: with stage ``identity``; the caller cannot be identified for now.
    """
    app = wiring.app()
    await app.load_callers()
    request.user_id = await app.callers.identify(request.headers)


def user_id(request: HttpRequest) -> str:
    """The id of the user who sent *request*.

    Raises:
        LookupError: the caller was not identified; the endpoint must be wrapped in `serve.served`.
    """
    if not request.user_id:
        raise LookupError("The caller was not identified: wrap this endpoint in serve.served.")
    return request.user_id
