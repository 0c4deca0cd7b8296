"""Translates the SDK's errors into ours."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from math import nan
from time import time

import httpx2
import openai

from voice_core.domain.errors import (
    LONGEST_WAIT_SECONDS,
    Misconfigured,
    ReplyRefused,
    StageFailed,
    StageTimedOut,
    Throttled,
    Unreachable,
    VoiceError,
)

STAGE = "assistant"


@contextmanager
def our_errors() -> Iterator[None]:
    """Raise the errors of the SDK, and of the source of our token, as ours. None quotes the conversation."""
    try:
        yield
    except (TimeoutError, openai.APITimeoutError) as error:
        raise StageTimedOut("The assistant did not respond in time.", stage=STAGE) from error
    except openai.APIError as error:
        raise _failure(error) from error
    except (ValueError, openai.OpenAIError) as error:
        raise StageFailed("The assistant's response could not be parsed.", stage=STAGE) from error
    except httpx2.InvalidURL as error:
        raise Misconfigured("The assistant's endpoint is no URL.", stage=STAGE) from error
    except httpx2.RequestError as error:
        # The SDK reads the body of an error response outside its own try block.
        raise StageFailed("The connection to the assistant failed.", stage=STAGE) from error
    except StageFailed as error:
        error.stage = STAGE
        raise


def _failure(error: openai.APIError) -> VoiceError:
    if error.code == "content_filter" or _inner_code(error) == "ResponsibleAIPolicyViolation":
        return ReplyRefused("The content filter stopped the request.", stage=STAGE)
    if isinstance(error.__cause__, httpx2.ConnectError):
        return Unreachable("The assistant's service is not reachable.", stage=STAGE)
    if not isinstance(error, openai.APIStatusError):
        return StageFailed("The connection to the assistant failed.", stage=STAGE)
    status = error.status_code
    detail = f"The assistant's service returned {status}."
    if status in (401, 403, 404) or error.code == "insufficient_quota":
        return Misconfigured(detail, stage=STAGE)
    wait = _retry_after(error.response.headers)
    if status == 429:
        return Throttled(detail, stage=STAGE, retry_after=wait)
    final = 400 <= status < 500 and status not in (408, 409)
    return StageFailed(detail, stage=STAGE, retryable=not final, retry_after=wait)


def _inner_code(error: openai.APIError) -> object:
    """Azure's more precise code for a refused prompt, whose own code may be ``400``
    (https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter).
    """
    inner = error.body.get("innererror") if isinstance(error.body, dict) else None
    return inner.get("code") if isinstance(inner, dict) else None


def _retry_after(headers: httpx2.Headers) -> float | None:
    """Seconds to wait, from Azure's header in milliseconds or from either form of RFC 9110's ``Retry-After``."""
    value = headers.get("retry-after", "")
    waits = (_number(headers.get("retry-after-ms", "")) / 1000, _number(value), _seconds_until(value))
    # Comparisons with nan are False, so this skips what is no number as well as waits that are too long.
    return next((max(0.0, wait) for wait in waits if wait <= LONGEST_WAIT_SECONDS), None)


def _number(value: str) -> float:
    with suppress(ValueError):
        return float(value)
    return nan


def _seconds_until(date: str) -> float:
    with suppress(ValueError, OverflowError):
        return parsedate_to_datetime(date).timestamp() - time()
    return nan
