"""Conversations, clip jobs, idempotent requests and the usage of limits in Azure Cosmos DB for NoSQL."""

from voice_core.adapters.cosmos.admissions import CosmosAdmissions
from voice_core.adapters.cosmos.clips import CosmosClips
from voice_core.adapters.cosmos.container import Database
from voice_core.adapters.cosmos.conversations import CosmosConversations
from voice_core.adapters.cosmos.requests import CosmosRequests

__all__ = ["CosmosAdmissions", "CosmosClips", "CosmosConversations", "CosmosRequests", "Database"]
