"""What all stores are."""

from voice_core.adapters.cosmos.container import Container


class Store:
    """Keeps things of all users in one *container*, each user's in a partition of their own.

    It opens when it is first used. Every operation is done or fails within the container's deadline, and all raise
    StageFailed with the container's name as stage.
    """

    def __init__(self, container: Container) -> None:
        self.container = container

    async def close(self) -> None:
        """Close all connections."""
        await self.container.close()

    async def check(self) -> None:
        """Reach the container, and see that it is one for documents like these.

        Raises:
            Misconfigured: it is missing, has another partition key or no TTL, or we are not let in.
        """
        await self.container.check()
