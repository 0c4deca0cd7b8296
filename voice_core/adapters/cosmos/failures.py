"""Translates the SDK's errors into ours."""

from aiohttp import ClientConnectorError
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseTimeoutError,
)
from azure.cosmos.exceptions import CosmosClientTimeoutError

from voice_core.domain.errors import (
    LONGEST_WAIT_SECONDS,
    Misconfigured,
    StageFailed,
    StageTimedOut,
    Throttled,
    Unreachable,
)

_TIMEOUTS = (CosmosClientTimeoutError, ServiceRequestTimeoutError, ServiceResponseTimeoutError)


def failure(error: Exception, stage: str) -> StageFailed:
    """The error to raise for *error*, without its text, which may contain ids and addresses."""
    if not isinstance(error, AzureError) or isinstance(error, DecodeError):
        return StageFailed("Cosmos DB returned an invalid response.", stage=stage)
    if isinstance(error, _TIMEOUTS):
        return timed_out(stage)
    if isinstance(error, ServiceRequestError) and isinstance(error.inner_exception, ClientConnectorError):
        return Unreachable("Cosmos DB is not reachable.", stage=stage)
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if isinstance(error, ClientAuthenticationError) or status in (401, 403):
        return Misconfigured("Cosmos DB does not accept our key or identity.", stage=stage)
    if status == 404:
        detail = "The Cosmos DB database or container does not exist: deploy it, or set COSMOS_CREATE on a laptop."
        return Misconfigured(detail, stage=stage)
    if status == 429:
        wait = throttle_seconds(error) or None
        return Throttled("Cosmos DB is throttling our requests.", stage=stage, retry_after=wait)
    refused = status is not None and 400 <= status < 500 and status not in (408, 409, 410, 412, 449)
    return StageFailed(f"Cosmos DB failed with {status or 'no response'}.", stage=stage, retryable=not refused)


def timed_out(stage: str) -> StageTimedOut:
    return StageTimedOut("Cosmos DB took too long.", stage=stage)


def throttle_seconds(error: AzureError) -> float | None:
    """Seconds to wait after a throttle (429), 0 if the service names none; None if *error* is not a throttle."""
    if not isinstance(error, HttpResponseError) or error.status_code != 429:
        return None
    # A batch's error has headers of its own and no response.
    headers = getattr(error, "headers", None) or {}
    try:
        seconds = float(headers["x-ms-retry-after-ms"]) / 1000
    except (KeyError, ValueError):
        return 0.0
    return seconds if 0 <= seconds <= LONGEST_WAIT_SECONDS else 0.0
