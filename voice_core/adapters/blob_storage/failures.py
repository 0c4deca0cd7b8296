"""What the SDK raises, as the caller will hear of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseTimeoutError,
)

from voice_core.domain.errors import (
    Conflict,
    Misconfigured,
    NotFound,
    StageFailed,
    StageTimedOut,
    Throttled,
    Unreachable,
)

STAGE = "storage"


@contextmanager
def our_errors(missing: str = "recording-missing") -> Iterator[None]:
    """Raise what the SDK raises as ours; a blob that is not there is NotFound with the code *missing*."""
    try:
        yield
    except ResourceNotFoundError as error:
        if getattr(error, "error_code", None) == "ContainerNotFound":
            raise no_container() from error
        raise NotFound("It is not in storage, or not any more.", code=missing, stage=STAGE) from error
    except ResourceModifiedError as error:
        raise Conflict("The recording has been replaced.", code="recording-changed", stage=STAGE) from error
    except AzureError as error:
        raise failure(error) from error


def no_container() -> Misconfigured:
    return Misconfigured("The storage account has no such container.", stage=STAGE)


def failure(error: AzureError) -> StageFailed:
    """The error to raise for *error*. Its text stays behind: it may hold names and addresses."""
    if isinstance(error, ServiceResponseTimeoutError):
        return StageTimedOut("Storage took too long.", stage=STAGE)
    if isinstance(error, ServiceRequestError):
        return Unreachable("Clip storage is not reachable.", stage=STAGE, retry_after=10)
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if isinstance(error, ClientAuthenticationError) or status in (401, 403):
        return Misconfigured("Storage does not accept our key or identity.", stage=STAGE)
    if status in (429, 503):
        return Throttled("Storage asks us to slow down.", stage=STAGE, retry_after=1)
    refused = status is not None and 400 <= status < 500
    return StageFailed(f"Storage failed with {status or 'no answer'}.", stage=STAGE, retryable=not refused)
