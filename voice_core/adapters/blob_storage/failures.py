"""Translates the SDK's errors into ours."""

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
    """Raise the SDK's errors as ours; a missing blob is NotFound with the code *missing*."""
    try:
        yield
    except ResourceNotFoundError as error:
        if getattr(error, "error_code", None) != "BlobNotFound":
            raise no_container() from error
        raise NotFound("It is not in storage, or has been deleted.", code=missing, stage=STAGE) from error
    except VoiceError:
        raise
    except Exception as error:
        # The SDK does not check responses: an unexpected one raises anything from AttributeError to zlib.error. Only
        # calls of the SDK belong in the body; otherwise a bug of ours would look like a failure of storage.
        raise failure(error) from error


def precondition_failed(error: StageFailed) -> bool:
    """Whether the blob is not in the state that the request expected."""
    return getattr(error.__cause__, "status_code", None) == PRECONDITION_FAILED


def no_container() -> Misconfigured:
    return Misconfigured("The storage account has no such container.", stage=STAGE)


def failure(error: Exception) -> StageFailed:
    """The error to raise for *error*, without its text, which may contain names and addresses."""
    if not isinstance(error, AzureError) or isinstance(error, DecodeError):
        return StageFailed("Storage returned an invalid response.", stage=STAGE)
    if isinstance(error, ServiceResponseTimeoutError):
        return StageTimedOut("Storage took too long.", stage=STAGE)
    if isinstance(error, ServiceRequestError) and isinstance(error.inner_exception, ClientConnectorError):
        return Unreachable("Clip storage is not reachable.", stage=STAGE)
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if isinstance(error, ClientAuthenticationError) or status in (401, 403):
        return Misconfigured("Storage does not accept our key or identity.", stage=STAGE)
    if status in (429, 503):
        return Throttled("Storage is throttling our requests.", stage=STAGE, retry_after=_retry_after(error))
    refused = status is not None and 400 <= status < 500
    return StageFailed(f"Storage failed with {status or 'no response'}.", stage=STAGE, retryable=not refused)


def _retry_after(error: AzureError) -> float | None:
    """Seconds to wait, if the service names them."""
    response = getattr(error, "response", None)
    value = response.headers.get("Retry-After", "") if response is not None else ""
    return float(value) if value.isdecimal() else None
