"""Conversations, clip jobs, idempotent requests and the usage of limits in Azure Cosmos DB for NoSQL."""

from voice_core.adapters.cosmos.clips import CosmosClips
from voice_core.adapters.cosmos.container import Database
from voice_core.adapters.cosmos.conversations import CosmosConversations
from voice_core.adapters.cosmos.requests import CosmosRequests
from voice_core.adapters.cosmos.usage import CosmosUsage

__all__ = ["CosmosClips", "CosmosConversations", "CosmosRequests", "CosmosUsage", "Database"]
