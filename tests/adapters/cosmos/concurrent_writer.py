"""Helpers for tests of the Cosmos adapter: they open stores, write turns, and read the stored documents."""

from datetime import UTC, datetime, timedelta
from typing import Any

from azure.cosmos.aio import CosmosClient

from emulators.cosmos import LOCAL_KEY
from voice_core.adapters.cosmos import CosmosConversations, Database
from voice_core.domain.conversation import Turn

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
TTL_SECONDS = 1000
DEADLINE_SECONDS = 10.0


def opened(url: str, ttl_seconds: int = TTL_SECONDS) -> CosmosConversations:
    """A store of conversations in the account at *url*."""
    return CosmosConversations(database(url), ttl_seconds=ttl_seconds, deadline_seconds=DEADLINE_SECONDS)


def database(url: str, *, credential: Any = LOCAL_KEY, create: bool = True) -> Database:
    """The product's database in the account at *url*."""
    return Database(url, credential, "voice", create)


def turn(number: int, conversation: str = "c") -> Turn:
    """The turn with this number, created *number* minutes after `NOON`."""
    return Turn(f"t{number}", conversation, f"said {number}", f"reply {number}", NOON + timedelta(minutes=number))


async def remember(store: CosmosConversations, count: int, conversation: str = "c") -> None:
    """Append turns 1 to *count* for user ``u``."""
    for number in range(1, count + 1):
        await store.append("u", turn(number, conversation))


async def documents(url: str, user: str = "u") -> list[dict[str, Any]]:
    """All documents that are stored for *user*."""
    async with CosmosClient(url, LOCAL_KEY) as client:
        container = client.get_database_client("voice").get_container_client("conversations")
        return [item async for item in container.query_items("SELECT * FROM c", partition_key=user)]


def numbers(turns: Any) -> list[int]:
    return [int(one.id.removeprefix("t")) for one in turns]
