"""Conversations and the jobs of clips in Azure Cosmos DB for NoSQL."""

from voice_core.adapters.cosmos.clips import CosmosClips
from voice_core.adapters.cosmos.conversations import CosmosConversations

__all__ = ["CosmosClips", "CosmosConversations"]
