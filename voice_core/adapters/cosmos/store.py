"""Base class of all stores in Cosmos DB."""

from voice_core.adapters.cosmos.container import Container


class Store:
    """Stores the documents of all users in one *container*, each user's in a separate partition.

    It connects at first use. Every operation completes or fails within the container's deadline, and raises StageFailed
    with the container's name as stage.
    """

    def __init__(self, container: Container) -> None:
        self.container = container

    async def close(self) -> None:
        """Close all connections."""
        await self.container.close()

    async def check(self) -> None:
        """Reach the container, and check its partition key and TTL.

        Raises:
            Misconfigured: it is missing, has another partition key or no TTL, or denies access.
        """
        await self.container.check()
