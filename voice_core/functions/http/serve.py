"""How our errors and answers look in HTTP."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import wraps
from math import ceil
from time import monotonic
from typing import Any

import azurefunctions.extensions.http.fastapi  # noqa: F401 - makes the Functions worker stream requests and responses
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from voice_core import telemetry
from voice_core.domain import errors
from voice_core.functions.http.completion import CompletedAfterBody
from voice_core.functions.http.identity import authenticate
from voice_core.functions.http.request import ClientGone, Incoming
from voice_core.functions.http.security_headers import careful

PROBLEM = "application/problem+json"
"""RFC 9457."""

MOST_SEPARATORS = 100
"""Commas and semicolons of an ``Accept``. Browsers send fewer than 20; each costs as much time as it names types."""

_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}
"""Those that JSON leaves as they are, as JSON writes others. They can be in text only."""


class NotAcceptable(errors.InvalidInput):
    """None of the media types the caller accepts is made here."""

    code = "not-acceptable"


class WrongContentType(errors.InvalidInput):
    """The body's media type is none that is read here."""

    code = "content-type-unsupported"


class PreconditionRequired(errors.InvalidInput):
    """The request must say which state it is about."""

    code = "if-match-missing"


class PreconditionFailed(errors.InvalidInput):
    """The request is about a state that has passed."""

    code = "etag-stale"


class Unprocessable(errors.InvalidInput):
    """The request is understood, and is nothing we can do."""


STATUS: Mapping[type[errors.VoiceError], int] = {
    NotAcceptable: 406,
    PreconditionFailed: 412,
    WrongContentType: 415,
    Unprocessable: 422,
    PreconditionRequired: 428,
    errors.UnsupportedFormat: 415,
    errors.TooLarge: 413,
    errors.InvalidAudio: 422,
    errors.BodyStalled: 408,
    errors.KeyReused: 422,
    errors.InvalidInput: 400,
    errors.Unauthenticated: 401,
    errors.NoSpeech: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Busy: 503,
    errors.LimitReached: 429,
    errors.ReplyRefused: 422,
    errors.Throttled: 503,
    errors.Unreachable: 503,
    errors.Crowded: 503,
    errors.StageTimedOut: 504,
    errors.StageFailed: 502,
    errors.VoiceError: 500,
}
"""The nearest ancestor counts."""

TITLES: Mapping[int, str] = {
    400: "The request cannot be served as it is",
    401: "We do not know who you are",
    404: "There is no such thing of yours",
    406: "No such answer is made here",
    408: "The request did not come whole",
    409: "Somebody else was there first",
    412: "Something has changed since",
    413: "Too large",
    415: "This is no format we know",
    422: "Nothing could be made of this",
    428: "Say which state this is about",
    429: "That is as much as you may just now",
    500: "Something of ours went wrong",
    502: "A service we need failed",
    503: "Not to be had just now",
    504: "A service we need took too long",
}


def status(error: errors.VoiceError) -> int:
    """The HTTP status that *error* is told with."""
    return next(STATUS[ancestor] for ancestor in type(error).__mro__ if ancestor in STATUS)


def problem(error: errors.VoiceError) -> dict[str, Any]:
    """*error* as a problem document."""
    document = {
        "type": f"urn:voice:problem:{error.code}",
        "title": TITLES[status(error)],
        "status": status(error),
        "detail": error.detail,
        "code": error.code,
        "stage": error.stage,
        "retryable": error.retryable,
        "retryAfter": _wait(error),
        "requestId": telemetry.request_id(),
    }
    return error.extra | {name: value for name, value in document.items() if value is not None}


def _wait(error: errors.VoiceError) -> int | None:
    """Whole seconds, rounded up: who comes back then is not too early."""
    return None if error.retry_after is None else max(1, ceil(error.retry_after))


def problem_response(error: errors.VoiceError) -> Response:
    wait = _wait(error)
    headers = {} if wait is None else {"Retry-After": str(wait)}
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = _challenge(error)
    return JSONResponse(problem(error), status(error), headers, PROBLEM)


def _challenge(error: errors.Unauthenticated) -> str:
    """What to show instead (RFC 6750, 3): why it is refused is told only to those who have shown something."""
    return 'Bearer error="invalid_token"' if isinstance(error, errors.InvalidToken) else "Bearer"


def json_response(document: Any, *, status_code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(document, status_code, headers)


Handler = Callable[[Incoming], Awaitable[Response]]
AzureHandler = Callable[[Request], Awaitable[Response]]


def served(handler: Handler) -> AzureHandler:
    """*handler* as Azure calls it, for callers who are known before it runs and before any of the body is read."""

    @wraps(handler)
    async def for_the_known(incoming: Incoming) -> Response:
        await authenticate(incoming)
        return await handler(incoming)

    return served_publicly(for_the_known)


def served_publicly(handler: Handler) -> AzureHandler:
    """*handler* as Azure calls it, for anyone: nobody is asked who they are.

    Errors become problem documents, and every answer names its request.
    """

    async def serve(req: Request) -> Response:
        began, request_id = monotonic(), telemetry.begin_request(req.headers.get("traceparent"))
        incoming = Incoming(req)
        try:
            response = await handler(incoming)
        except ClientGone:
            response = Response(status_code=499)
        except errors.VoiceError as error:
            refused = "unauthenticated" if isinstance(error, errors.Unauthenticated) else "refused"
            telemetry.event(refused, telemetry.reason(error))
            response = problem_response(error)
        except Exception:  # noqa: BLE001 - the last door: nothing may leave it as a bare 500
            telemetry.unexpected(handler.__name__)
            response = problem_response(errors.VoiceError("An unexpected error; our log has its request id."))
        response.headers.update({"X-Request-Id": request_id, **incoming.told})
        careful(response.headers, req.headers)
        telemetry.answered(req.method, response.status_code, began)
        return CompletedAfterBody(response, incoming)

    serve.__name__ = handler.__name__
    serve.__doc__ = handler.__doc__
    return serve


def negotiate(accept: str, offers: Sequence[str]) -> str:
    """The one of *offers*, media types in our order of preference, that *accept* likes best (RFC 9110, 12.5.1).

    Raises:
        NotAcceptable: it likes none, or lists more than `MOST_SEPARATORS` separate.
    """
    if accept.count(",") + accept.count(";") > MOST_SEPARATORS:
        raise NotAcceptable(f"Accept lists too much. Accept one of {', '.join(offers)}.")
    ranges = [_media_range(part) for part in (accept or "*/*").split(",")]
    quality = {offer: max((_match(offer, *media) for media in ranges), default=(0, 0.0))[1] for offer in offers}
    best = max(offers, key=lambda offer: quality[offer])
    if not quality[best]:
        raise NotAcceptable(f"Accept one of {', '.join(offers)}.")
    return best


def _media_range(text: str) -> tuple[str, float]:
    media, *parameters = (part.strip().lower() for part in text.split(";"))
    weights = [value for name, _, value in (p.partition("=") for p in parameters) if name.strip() == "q"]
    try:
        return media, float(weights[0]) if weights else 1.0
    except ValueError:
        return media, 0.0


def _match(offer: str, media: str, weight: float) -> tuple[int, float]:
    """How specifically *media* names *offer*, and the weight it gives it."""
    if media == offer:
        return 2, weight
    if media == f"{offer.partition('/')[0]}/*":
        return 1, weight
    return (0, weight) if media == "*/*" else (-1, 0.0)


def compact(document: Any) -> bytes:
    """*document* as JSON in one line, also for readers to whom more than a line feed ends one (Unicode, 5.8)."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).translate(_LINE_ENDS).encode()
