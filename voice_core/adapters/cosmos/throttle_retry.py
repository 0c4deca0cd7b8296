"""Asking again when the service wants us to, as long as there is time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from azure.core.exceptions import HttpResponseError

from voice_core.adapters.cosmos.failures import throttle_seconds

RETRY_WITH = 449
"""Another write to the same document was under way.
https://learn.microsoft.com/rest/api/cosmos-db/http-status-codes-for-cosmosdb
"""

SHORTEST_WAIT_SECONDS = 0.05
"""Also when the service names none; twice as long each further time."""

Result = TypeVar("Result")


async def retry_throttled(ask: Callable[[], Awaitable[Result]], deadline: float) -> Result:
    """What *ask* gives, asked again after each throttle, and after each conflict inside the service.

    The SDK could do that, but it sleeps for as long as it is told. Here a throttle that lasts beyond *deadline*, of the
    event loop's clock, is raised at once. It also sees those inside a batch, which the SDK does not retry.

    Raises:
        AzureError: as *ask* raises it.
    """
    now, shortest = asyncio.get_running_loop().time, SHORTEST_WAIT_SECONDS
    while True:
        try:
            return await ask()
        except HttpResponseError as error:
            asked = 0.0 if error.status_code == RETRY_WITH else throttle_seconds(error)
            if asked is None or now() + max(asked, shortest) >= deadline:
                raise
        await asyncio.sleep(max(asked, shortest))
        shortest *= 2
