"""The wrapper of every endpoint: identity, problem documents, and headers of all responses."""

import traceback
from collections.abc import Awaitable, Callable
from functools import wraps
from time import monotonic

import azurefunctions.extensions.http.fastapi  # noqa: F401 - makes the Functions worker stream requests and responses
from starlette.requests import Request
from starlette.responses import Response

from voice_core import telemetry
from voice_core.domain import errors
from voice_core.functions.http.completion import CompletedAfterBody
from voice_core.functions.http.encoding import check_encoding
from voice_core.functions.http.identity import authenticate
from voice_core.functions.http.problems import problem_response
from voice_core.functions.http.rate_limit import count_request
from voice_core.functions.http.request import ClientGone, HttpRequest
from voice_core.functions.http.security_headers import add_security_headers

Handler = Callable[[HttpRequest], Awaitable[Response]]
AzureHandler = Callable[[Request], Awaitable[Response]]


def served(handler: Handler) -> AzureHandler:
    """*handler* as Azure calls it; the caller is authenticated before it runs and before any of the body is read.

    Every request but a POST is counted before it runs, too.
    """

    @wraps(handler)
    async def authenticated(request: HttpRequest) -> Response:
        await authenticate(request)
        await count_request(request)
        check_encoding(request)
        return await handler(request)

    return served_publicly(authenticated)


def served_publicly(handler: Handler) -> AzureHandler:
    """*handler* as Azure calls it, for any caller, without authentication.

    Errors become problem documents, and every response has an ``X-Request-Id``.
    """

    async def serve(req: Request) -> Response:
        began, request_id = monotonic(), telemetry.begin_request(req.headers.get("traceparent"))
        request = HttpRequest(req)
        try:
            response = await handler(request)
        except ClientGone:
            response = Response(status_code=499)
        except errors.VoiceError as error:
            refused = "unauthenticated" if isinstance(error, errors.Unauthenticated) else "refused"
            telemetry.event(refused, telemetry.reason(error))
            response = problem_response(error)
            _clear_frames(error)
        except Exception as error:  # noqa: BLE001 - the outermost handler: every error must become a problem document
            telemetry.unexpected(handler.__name__)
            _clear_frames(error)
            response = problem_response(
                errors.VoiceError("An unexpected error. Report the requestId to the operator: it is in our log.")
            )
        if response.status_code >= 400:
            # The rest of the body may still be on its way for a long time; nothing of it is kept.
            request.release_body()
        response.headers.update({"X-Request-Id": request_id, **request.response_headers})
        add_security_headers(response.headers, req.headers)
        telemetry.request_served(req.method, response.status_code, began)
        return CompletedAfterBody(response, request)

    serve.__name__ = handler.__name__
    serve.__doc__ = handler.__doc__
    return serve


def _clear_frames(error: BaseException | None) -> None:
    """Clear the local variables of the functions that raised *error*, and the errors that led to it.

    The recording is among them, and often the error itself: such a cycle would keep megabytes for each refused request
    until the garbage collector runs.
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
