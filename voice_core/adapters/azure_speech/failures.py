"""What the Speech service and its SDK report, as our errors."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from azure.cognitiveservices.speech import CancellationErrorCode as Code

from voice_core.domain.errors import Misconfigured, StageFailed, StageTimedOut, Throttled, Unreachable

HTTP_STATUS = re.compile(r"\(([45]\d\d)\)")
"""How the SDK's details name the status with which a connection was refused."""

NOBODY_THERE = "UNDERLYING_IO_OPEN_FAILED"
"""What they say of one that was not made at all."""

SERVICE = {"stt": "Speech recognition", "tts": "Speech synthesis"}
RETRYABLE_STATUSES = (408, 409)


class SpeechServiceError(Exception):
    """The vendor's own words, which may hold addresses: the cause of our errors, never their detail."""


def canceled(stage: str, code: "Code", details: str) -> StageFailed:
    """The error for a cancellation with *code*; the SDK's *details* become its cause."""
    status = _status(code, details)
    error = refused(stage, status) if status else _unrefused(stage, code, details)
    error.__cause__ = SpeechServiceError(f"{code.name}: {details}")
    return error


def refused(stage: str, status: int, retry_after: float | None = None) -> StageFailed:
    """The error for an HTTP *status* other than success; a redirect, which is not followed, may pass."""
    detail = f"{SERVICE[stage]} answered {status}."
    if status in (401, 403, 404):
        return Misconfigured(detail, stage=stage)
    if status == 429:
        return Throttled(detail, stage=stage, retry_after=retry_after)
    retryable = not 400 <= status < 500 or status in RETRYABLE_STATUSES
    return StageFailed(detail, stage=stage, retryable=retryable, retry_after=retry_after)


def timed_out(stage: str) -> StageTimedOut:
    return StageTimedOut(f"{SERVICE[stage]} did not answer in time.", stage=stage)


@contextmanager
def our_errors(stage: str) -> Iterator[None]:
    """Raise what the SDK's calls raise, and what our token comes from, as ours."""
    try:
        yield
    except RuntimeError as error:
        raise StageFailed(f"{SERVICE[stage]} could not be started.", stage=stage) from error
    except StageFailed as error:
        error.stage = stage
        raise


def _status(code: "Code", details: str) -> int | None:
    """The HTTP status behind a cancellation, as far as the SDK tells."""
    known = {Code.AuthenticationFailure: 401, Code.Forbidden: 403, Code.TooManyRequests: 429, Code.BadRequest: 400}
    named = HTTP_STATUS.search(details)
    return int(named[1]) if named else known.get(code)


def _unrefused(stage: str, code: "Code", details: str) -> StageFailed:
    if code == Code.ServiceTimeout:
        return timed_out(stage)
    if NOBODY_THERE in details:
        return Unreachable(f"{SERVICE[stage]} is not reachable.", stage=stage)
    if code == Code.ConnectionFailure:
        return StageFailed(f"The connection to {SERVICE[stage].lower()} failed.", stage=stage)
    return StageFailed(f"{SERVICE[stage]} failed.", stage=stage)
