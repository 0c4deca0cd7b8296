"""What the SDK raises, as the caller will hear of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import ClientConnectorError
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseTimeoutError,
)

from voice_core.domain.errors import (
    Misconfigured,
    NotFound,
    StageFailed,
    StageTimedOut,
    Throttled,
    Unreachable,
    VoiceError,
)

STAGE = "storage"

PRECONDITION_FAILED = 412


@contextmanager
def our_errors(missing: str = "recording-missing") -> Iterator[None]:
    """Raise what the SDK raises as ours; a blob that is not there is NotFound with the code *missing*."""
    try:
        yield
    except ResourceNotFoundError as error:
        if getattr(error, "error_code", None) != "BlobNotFound":
            raise no_container() from error
        raise NotFound("It is not in storage, or not any more.", code=missing, stage=STAGE) from error
    except VoiceError:
        raise
    except Exception as error:
        # The SDK takes every answer for what was asked: of one that is not comes anything from AttributeError to
        # zlib.error. Nothing but its calls belongs in the body, lest a mistake of ours look like it.
        raise failure(error) from error


def precondition_failed(error: StageFailed) -> bool:
    """Whether what was there is not what the request expected."""
    return getattr(error.__cause__, "status_code", None) == PRECONDITION_FAILED


def no_container() -> Misconfigured:
    return Misconfigured("The storage account has no such container.", stage=STAGE)


def failure(error: Exception) -> StageFailed:
    """The error to raise for *error*. Its text stays behind: it may hold names and addresses."""
    if not isinstance(error, AzureError) or isinstance(error, DecodeError):
        return StageFailed("What storage answered makes no sense.", stage=STAGE)
    if isinstance(error, ServiceResponseTimeoutError):
        return StageTimedOut("Storage took too long.", stage=STAGE)
    if isinstance(error, ServiceRequestError) and isinstance(error.inner_exception, ClientConnectorError):
        return Unreachable("Clip storage is not reachable.", stage=STAGE)
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if isinstance(error, ClientAuthenticationError) or status in (401, 403):
        return Misconfigured("Storage does not accept our key or identity.", stage=STAGE)
    if status in (429, 503):
        return Throttled("Storage asks us to slow down.", stage=STAGE, retry_after=_retry_after(error))
    refused = status is not None and 400 <= status < 500
    return StageFailed(f"Storage failed with {status or 'no answer'}.", stage=STAGE, retryable=not refused)


def _retry_after(error: AzureError) -> float | None:
    """Seconds, where the service says it."""
    response = getattr(error, "response", None)
    told = response.headers.get("Retry-After", "") if response is not None else ""
    return float(told) if told.isdecimal() else None
