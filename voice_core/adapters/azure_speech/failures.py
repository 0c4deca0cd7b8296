"""Translates errors of the Speech service and its SDK into ours."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from azure.cognitiveservices.speech import CancellationErrorCode as Code

from voice_core.domain.errors import Misconfigured, StageFailed, StageTimedOut, Throttled, Unreachable

HTTP_STATUS = re.compile(r"\(([45]\d\d)\)")
"""The HTTP status of a refused connection in the SDK's details."""

IO_OPEN_FAILED = "UNDERLYING_IO_OPEN_FAILED"
"""In the SDK's details of a connection that could not be opened at all."""

SERVICE = {"stt": "Speech recognition", "tts": "Speech synthesis"}
RETRYABLE_STATUSES = (408, 409)


class BadRequest(StageFailed):
    """The service returned 400: it does not accept the request itself, such as its language."""

    retryable = False


class SpeechServiceError(Exception):
    """The vendor's error text, which may contain addresses: the cause of our errors, never their detail."""


def canceled(stage: str, code: "Code", details: str) -> StageFailed:
    """The error for a cancellation with *code*; the SDK's *details* become its cause."""
    status = _status(code, details)
    error = refused(stage, status) if status else _without_status(stage, code, details)
    error.__cause__ = SpeechServiceError(f"{code.name}: {details}")
    return error


def refused(stage: str, status: int, retry_after: float | None = None) -> StageFailed:
    """The error for an HTTP *status* other than success. A redirect, which we do not follow, is retryable."""
    detail = f"{SERVICE[stage]} returned {status}."
    if status in (401, 403, 404):
        return Misconfigured(detail, stage=stage)
    if status == 400:
        return BadRequest(detail, stage=stage, retry_after=retry_after)
    if status == 429:
        return Throttled(detail, stage=stage, retry_after=retry_after)
    retryable = not 400 <= status < 500 or status in RETRYABLE_STATUSES
    return StageFailed(detail, stage=stage, retryable=retryable, retry_after=retry_after)


def timed_out(stage: str) -> StageTimedOut:
    return StageTimedOut(f"{SERVICE[stage]} did not respond in time.", stage=stage)


@contextmanager
def our_errors(stage: str) -> Iterator[None]:
    """Raise the errors of the SDK's calls, and of the source of our token, as ours."""
    try:
        yield
    except RuntimeError as error:
        raise StageFailed(f"{SERVICE[stage]} could not be started.", stage=stage) from error
    except StageFailed as error:
        error.stage = stage
        raise


def _status(code: "Code", details: str) -> int | None:
    """The HTTP status behind a cancellation, if the SDK reports it."""
    known = {Code.AuthenticationFailure: 401, Code.Forbidden: 403, Code.TooManyRequests: 429, Code.BadRequest: 400}
    named = HTTP_STATUS.search(details)
    return int(named[1]) if named else known.get(code)


def _without_status(stage: str, code: "Code", details: str) -> StageFailed:
    if code == Code.ServiceTimeout:
        return timed_out(stage)
    if IO_OPEN_FAILED in details:
        return Unreachable(f"{SERVICE[stage]} is not reachable.", stage=stage)
    if code == Code.ConnectionFailure:
        return StageFailed(f"The connection to {SERVICE[stage].lower()} failed.", stage=stage)
    return StageFailed(f"{SERVICE[stage]} failed.", stage=stage)
