"""An emulator of Azure Cosmos DB for NoSQL: its REST protocol over plain HTTP, for the real SDK.

It is not Cosmos. It serves containers with one partition key path, operations on one document, transactional batches
and queries within one partition, TTL and ETags. It refuses the rest with 400: hierarchical keys, queries across
partitions, the change feed, stored procedures, unique keys, most SQL functions. Request charges, consistency levels and
provisioned throughput are accepted and have no effect.
"""

from emulators.cosmos.auth import EMULATOR_KEY, LOCAL_KEY
from emulators.cosmos.server import cosmos_app

__all__ = ["EMULATOR_KEY", "LOCAL_KEY", "cosmos_app"]
