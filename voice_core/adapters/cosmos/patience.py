"""Waiting when the service asks us to, as long as there is time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from azure.core.exceptions import HttpResponseError

from voice_core.adapters.cosmos.failures import throttle_seconds

SHORTEST_WAIT_SECONDS = 0.05
"""Also when the service names none."""

Result = TypeVar("Result")


async def patiently(ask: Callable[[], Awaitable[Result]], deadline: float) -> Result:
    """What *ask* gives, asked again after each throttle.

    The SDK could do that, but it sleeps for as long as it is told. Here a throttle that lasts beyond *deadline*, of the
    event loop's clock, is raised at once. It also sees those inside a batch, which the SDK does not retry.

    Raises:
        AzureError: as *ask* raises it.
    """
    now = asyncio.get_running_loop().time
    while True:
        try:
            return await ask()
        except HttpResponseError as error:
            asked = throttle_seconds(error)
            if asked is None or now() + max(asked, SHORTEST_WAIT_SECONDS) >= deadline:
                raise
        await asyncio.sleep(max(asked, SHORTEST_WAIT_SECONDS))
