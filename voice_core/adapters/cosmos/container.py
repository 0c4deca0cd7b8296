"""A container, with one client per process, which connects at first use."""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from azure.core.pipeline import PipelineRequest
from azure.core.rest import HttpRequest
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import CosmosResourceExistsError

from voice_core import telemetry, timeouts
from voice_core.adapters.cosmos.failures import failure, timed_out
from voice_core.adapters.cosmos.partition import Partition
from voice_core.adapters.cosmos.store_clock import StoreClock
from voice_core.adapters.cosmos.throttle_retry import retry_throttled
from voice_core.adapters.cosmos.transport import bounded_transport
from voice_core.domain.errors import Misconfigured, VoiceError

PARTITION_KEY = "/userId"
"""Partition key of every container: each user has a partition."""

CONNECT_SECONDS = 3
READ_SECONDS = 6
"""Timeout of one response; a batch may take the service 5 s."""

NEVER = -1
"""Disables the SDK's throttle retries (0 would mean its default): `retry_throttled` replaces them."""


@dataclass(frozen=True, slots=True)
class Database:
    """Address and credential of the database."""

    endpoint: str
    credential: Any
    """Account key, or async token credential, which the caller closes."""
    name: str
    create: bool = False
    """Whether to create the database and its containers if they are missing; this requires a key."""


class Container:
    """A container of *database*; its *name* is the stage of its errors.

    Only the *indexed* properties of its documents are in the index: each one makes every write more expensive. All
    requests of one operation, including connecting, must complete within *deadline_seconds*.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        indexed: Sequence[str],
        deadline_seconds: float,
        clock: StoreClock | None = None,
    ) -> None:
        self._database = database
        self.clock = clock or StoreClock()
        self.name = name
        self.indexed = indexed
        self._deadline_seconds = deadline_seconds
        self._opening = asyncio.Lock()
        self._open: tuple[CosmosClient, ContainerProxy] | None = None

    async def close(self) -> None:
        """Close all connections; a later operation opens them again."""
        async with self._opening:
            closing, self._open = self._open, None
        if closing:
            await closing[0].close()

    async def check(self) -> None:
        """Read the container's definition.

        Raises:
            StageFailed: with the container's stage.
        """
        async with self._operation() as deadline:
            container = await self._opened(deadline)
            _check_definition(await retry_throttled(container.read, deadline), self.name)

    @asynccontextmanager
    async def partition(self, user_id: str) -> AsyncIterator[Partition]:
        """The user's partition, for one operation.

        Raises:
            StageFailed: with the container's stage; errors of the SDK that the body raises are translated too.
        """
        async with self._operation() as deadline:
            yield Partition(await self._opened(deadline), user_id, deadline)

    @asynccontextmanager
    async def _operation(self) -> AsyncIterator[float]:
        """Enforce the deadline, and translate the body's errors. Yields the deadline, on the event loop's clock."""
        deadline = asyncio.get_running_loop().time() + self._deadline_seconds
        try:
            async with timeouts.timeout(self._deadline_seconds):
                yield deadline
        except TimeoutError as error:
            raise timed_out(self.name) from error
        except VoiceError:
            raise
        except Exception as error:
            # Neither the SDK nor our parsing of documents checks responses: an unexpected one raises anything from
            # KeyError to zlib.error. A bug of ours would look the same, but the log contains the error's type.
            raise failure(error, self.name) from error

    async def _opened(self, deadline: float) -> ContainerProxy:
        async with self._opening:
            if self._open is None:
                self._open = await retry_throttled(self._connect, deadline)
            return self._open[1]

    async def _connect(self) -> tuple[CosmosClient, ContainerProxy]:
        client = await _client(self._database, self.name, self.clock)
        try:
            await client.__aenter__()
            return client, await self._proxy(client)
        except BaseException:
            await client.close()
            raise

    async def _proxy(self, client: CosmosClient) -> ContainerProxy:
        if self._database.create:
            await self._create(client)
        proxy = client.get_database_client(self._database.name).get_container_client(self.name)
        # The SDK reads this before its first operation anyway, where a 404 would look like a missing document.
        _check_definition(await proxy.read(), self.name)
        return proxy

    async def _create(self, client: CosmosClient) -> None:
        # The SDK checks and then creates: another instance may have created it in between.
        with suppress(CosmosResourceExistsError):
            await client.create_database_if_not_exists(self._database.name)
        database = client.get_database_client(self._database.name)
        with suppress(CosmosResourceExistsError):
            await database.create_container_if_not_exists(
                self.name,
                PartitionKey(PARTITION_KEY),
                indexing_policy=indexing_policy(self.indexed),
                default_ttl=-1,
            )


def indexing_policy(names: Sequence[str]) -> dict[str, Any]:
    """Index of only these properties. It is never off, even without properties, because TTL requires an index."""
    return {
        "indexingMode": "consistent",
        "automatic": True,
        "includedPaths": [{"path": f"/{name}/?"} for name in names],
        "excludedPaths": [{"path": "/*"}],
    }


async def _client(database: Database, stage: str, clock: StoreClock) -> CosmosClient:
    # The SDK logs each request at INFO, with the user's id in a header and the conversation's in the URL.
    logger = logging.getLogger(f"{__name__}.wire")
    logger.setLevel(logging.WARNING)
    transport = bounded_transport()
    try:
        if isinstance(database.credential, str):
            base64.b64decode(database.credential)
        return CosmosClient(
            database.endpoint,
            database.credential,
            connection_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            # Retrying a write is safe: ids and ETags prevent storing twice. Only the usage of a limit may count twice
            # after a lost response, which can refuse a user too early, but never too late.
            retry_total=1,
            retry_throttle_total=NEVER,
            logger=logger,
            raw_request_hook=lambda request: _begin(request, clock),
            raw_response_hook=clock.observe,
            transport=transport,
        )
    except (ValueError, TypeError) as error:
        await transport.close()
        raise Misconfigured("The Cosmos DB endpoint or credential is malformed.", stage=stage) from error


def _begin(request: PipelineRequest[HttpRequest], clock: StoreClock) -> None:
    clock.begin(request)
    request.http_request.headers.update(telemetry.outgoing())


def _check_definition(properties: dict[str, Any], stage: str) -> None:
    if properties["partitionKey"]["paths"] != [PARTITION_KEY]:
        raise Misconfigured(f"The Cosmos DB container's partition key must be {PARTITION_KEY}.", stage=stage)
    if not properties.get("defaultTtl"):
        raise Misconfigured("The Cosmos DB container's TTL is off: nothing would ever expire.", stage=stage)
