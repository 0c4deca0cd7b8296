"""The account document, which a client reads first; it names the endpoint of all further requests."""

import json
from typing import Any

from emulators.cosmos.items import MAX_BYTES

QUERY_ENGINE = {
    "maxSqlQueryInputLength": 262144,
    "allowNewKeywords": True,
    "sqlAllowTop": True,
    "enableSpatialIndexing": False,
}


def account_document(host: str) -> dict[str, Any]:
    """The account at *host* (with its port). Clients use the address in it, so it must be the real one."""
    location = {"name": "Local", "databaseAccountEndpoint": f"http://{host}/"}
    return {
        "_self": "",
        "id": "local",
        "_rid": "local",
        "media": "//media/",
        "addresses": "//addresses/",
        "_dbs": "//dbs/",
        "writableLocations": [location],
        "readableLocations": [location],
        "enableMultipleWriteLocations": False,
        "userReplicationPolicy": {"asyncReplication": False, "minReplicaSetSize": 1, "maxReplicasetSize": 1},
        "userConsistencyPolicy": {"defaultConsistencyLevel": "Session"},
        "systemReplicationPolicy": {"minReplicaSetSize": 1, "maxReplicasetSize": 1},
        "readPolicy": {"primaryReadCoefficient": 1, "secondaryReadCoefficient": 1},
        "queryEngineConfiguration": json.dumps(QUERY_ENGINE),
        "maxDocumentSize": MAX_BYTES,
    }
