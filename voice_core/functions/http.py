"""How our errors and answers look in HTTP."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import azurefunctions.extensions.http.fastapi  # noqa: F401 - makes the Functions worker stream requests and responses
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from voice_core import telemetry
from voice_core.domain import errors
from voice_core.functions.incoming import ClientGone, Incoming
from voice_core.functions.streaming import StreamedResponse

PROBLEM = "application/problem+json"
"""RFC 9457."""


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
    errors.InvalidInput: 400,
    errors.NoSpeech: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Busy: 503,
    errors.ReplyRefused: 422,
    errors.Throttled: 503,
    errors.Unreachable: 503,
    errors.StageTimedOut: 504,
    errors.StageFailed: 502,
    errors.VoiceError: 500,
}
"""The nearest ancestor counts."""

TITLES: Mapping[int, str] = {
    400: "The request cannot be served as it is",
    404: "There is no such thing of yours",
    405: "This method is not for this path",
    406: "No such answer is made here",
    409: "Somebody else was there first",
    412: "Something has changed since",
    413: "Too large",
    415: "This is no format we know",
    422: "Nothing could be made of this",
    428: "Say which state this is about",
    500: "Something of ours went wrong",
    502: "A service we need failed",
    503: "Too busy just now",
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
        "requestId": telemetry.request_id(),
    }
    return error.extra | {name: value for name, value in document.items() if value is not None}


def problem_response(error: errors.VoiceError) -> Response:
    headers = {} if error.retry_after is None else {"Retry-After": str(max(1, round(error.retry_after)))}
    return JSONResponse(problem(error), status(error), headers, PROBLEM)


def json_response(document: Any, *, status_code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(document, status_code, headers)


Handler = Callable[[Incoming], Awaitable[Response]]


def served(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """*handler* as Azure calls it: errors become problem documents, every answer names its request."""

    async def serve(req: Request) -> Response:
        request_id = telemetry.begin_request(req.headers.get("traceparent"))
        incoming = Incoming(req)
        try:
            response = await handler(incoming)
        except ClientGone:
            response = Response(status_code=499)
        except errors.VoiceError as error:
            telemetry.event("refused", telemetry.reason(error))
            response = problem_response(error)
        except Exception:  # noqa: BLE001 - the last door: nothing may leave it as a bare 500
            telemetry.unexpected(handler.__name__)
            response = problem_response(errors.VoiceError("An unexpected error; our log has its request id."))
        if not isinstance(response, StreamedResponse):
            await incoming.aclose()
        response.headers["X-Request-Id"] = request_id
        return response

    serve.__name__ = handler.__name__
    serve.__doc__ = handler.__doc__
    return serve


def negotiate(accept: str, offers: Sequence[str]) -> str:
    """The one of *offers*, media types in our order of preference, that *accept* likes best (RFC 9110, 12.5.1).

    Raises:
        NotAcceptable: it likes none.
    """
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
    """*document* as JSON in one line."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
