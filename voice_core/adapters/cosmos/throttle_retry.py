"""Retries of throttled requests, within a deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from azure.core.exceptions import HttpResponseError

from voice_core.adapters.cosmos.failures import throttle_seconds

RETRY_WITH = 449
"""Status "retry with": another write to the same document was in progress.
https://learn.microsoft.com/rest/api/cosmos-db/http-status-codes-for-cosmosdb
"""

SHORTEST_WAIT_SECONDS = 0.05
"""Shortest wait before the first retry, also if the service names none; doubled for each further retry."""

Result = TypeVar("Result")


async def retry_throttled(call: Callable[[], Awaitable[Result]], deadline: float) -> Result:
    """The result of *call*, which is repeated after each throttle, and after each conflict inside the service (449).

    The SDK could retry, but it sleeps for as long as the service says. This raises a throttle that lasts beyond
    *deadline*, on the event loop's clock, at once. It also retries throttles inside a batch, which the SDK does not.

    Raises:
        AzureError: from *call*.
    """
    now, shortest = asyncio.get_running_loop().time, SHORTEST_WAIT_SECONDS
    while True:
        try:
            return await call()
        except HttpResponseError as error:
            wait = 0.0 if error.status_code == RETRY_WITH else throttle_seconds(error)
            if wait is None or now() + max(wait, shortest) >= deadline:
                raise
        await asyncio.sleep(max(wait, shortest))
        shortest *= 2
