"""Errors as problem documents (RFC 9457)."""

from collections.abc import Mapping
from math import ceil
from typing import Any

import azurefunctions.extensions.http.fastapi  # noqa: F401 - makes the Functions worker stream requests and responses
from starlette.responses import JSONResponse, Response

from voice_core import telemetry
from voice_core.domain import errors

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
    errors.AtCapacity: 503,
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
