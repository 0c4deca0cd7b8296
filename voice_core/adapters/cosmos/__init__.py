"""Conversations in Azure Cosmos DB for NoSQL."""

from voice_core.adapters.cosmos.conversations import CosmosConversations

__all__ = ["CosmosConversations"]
