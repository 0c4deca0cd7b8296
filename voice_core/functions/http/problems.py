"""Errors as problem documents (RFC 9457)."""

from collections.abc import Mapping
from math import ceil
from typing import Any

import azurefunctions.extensions.http.fastapi  # noqa: F401 - makes the Functions worker stream requests and responses
from starlette.responses import JSONResponse, Response

from voice_core import telemetry
from voice_core.domain import errors
from voice_core.functions.http.titles import title

PROBLEM = "application/problem+json"
"""RFC 9457."""

UNENCODED = "identity"
"""The name of a body as it is (RFC 9110, 12.5.3)."""


class NotAcceptable(errors.InvalidInput):
    """The endpoint offers none of the media types that the caller accepts."""

    code = "not-acceptable"


class WrongContentType(errors.InvalidInput):
    """The endpoint does not read bodies of this media type."""

    code = "content-type-unsupported"


class WrongContentEncoding(errors.InvalidInput):
    """The body is compressed, or encoded in another way."""

    code = "content-encoding-unsupported"


class PreconditionRequired(errors.InvalidInput):
    """The request must name the version that it changes, in ``If-Match``."""

    code = "if-match-missing"


class PreconditionFailed(errors.InvalidInput):
    """The version that the request names is no longer the current one."""

    code = "etag-stale"


class Unprocessable(errors.InvalidInput):
    """The request is well-formed, but cannot be carried out."""


STATUS: Mapping[type[errors.VoiceError], int] = {
    NotAcceptable: 406,
    PreconditionFailed: 412,
    WrongContentType: 415,
    WrongContentEncoding: 415,
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
"""HTTP status by class of error; a class that is not listed has the status of its nearest ancestor."""


def status(error: errors.VoiceError) -> int:
    """The HTTP status of a response that reports *error*."""
    return next(STATUS[ancestor] for ancestor in type(error).__mro__ if ancestor in STATUS)


def problem(error: errors.VoiceError) -> dict[str, Any]:
    """*error* as a problem document."""
    document = {
        "type": f"urn:voice:problem:{error.code}",
        "title": title(error.code, status(error)),
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
    """``Retry-After`` in whole seconds, rounded up, so that a client that waits that long is not refused again."""
    return None if error.retry_after is None else max(1, ceil(error.retry_after))


def problem_response(error: errors.VoiceError) -> Response:
    """*error* as a response with a problem document."""
    wait = _wait(error)
    headers = {} if wait is None else {"Retry-After": str(wait)}
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = _challenge(error)
    if isinstance(error, WrongContentEncoding):
        # RFC 9110, 15.5.16: without it, the media type would be the reason.
        headers["Accept-Encoding"] = UNENCODED
    return JSONResponse(problem(error), status(error), headers, PROBLEM)


def _challenge(error: errors.Unauthenticated) -> str:
    """The ``WWW-Authenticate`` challenge (RFC 6750, 3), which states a reason only if the request had a token."""
    return 'Bearer error="invalid_token"' if isinstance(error, errors.InvalidToken) else "Bearer"
