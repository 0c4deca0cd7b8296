"""What a container is: its definition, checked, and the partition a document belongs to."""

import json
from dataclasses import dataclass
from typing import Any

from emulators.cosmos.indexing import DEFAULT_POLICY
from emulators.cosmos.refusals import PARTITION_KEY_MISMATCH, Refusal

UNSUPPORTED = (
    "computedProperties",
    "vectorEmbeddingPolicy",
    "fullTextPolicy",
    "changeFeedPolicy",
    "clientEncryptionPolicy",
)
MAX_ID_BYTES = 1023
ILLEGAL_IN_IDS = "/\\?#"


def checked_id(body: dict[str, Any]) -> str:
    """The id of a database, container or document.

    Raises:
        Refusal: 400, there is none, or one that is not legal.
    """
    value = body.get("id")
    if not isinstance(value, str) or not value or len(value.encode()) > MAX_ID_BYTES:
        raise Refusal(400, "The input content is invalid: an id of 1 to 1023 bytes is required.")
    if any(character in value for character in ILLEGAL_IN_IDS):
        raise Refusal(400, f"The input content is invalid: an id holds none of {ILLEGAL_IN_IDS}")
    return value


def checked_ttl(value: Any, name: str) -> int | None:
    """Seconds to live, -1 for ever, None when not given."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and (value == -1 or value > 0)):
        return value
    raise Refusal(400, f"The input {name} '{value}' is invalid: -1, or a positive number of seconds.")


def checked_definition(body: dict[str, Any]) -> dict[str, Any]:
    """The definition of a container, whole.

    Raises:
        Refusal: 400, it is not valid, or asks for what this emulator does not do.
    """
    checked_id(body)
    checked_ttl(body.get("defaultTtl"), "defaultTtl")
    key = body.get("partitionKey") or {}
    if len(key.get("paths", ())) != 1 or key.get("kind", "Hash") != "Hash":
        raise Refusal(400, "This emulator serves containers with exactly one Hash partition key path only.")
    asked = [name for name in UNSUPPORTED if body.get(name)]
    if asked or (body.get("uniqueKeyPolicy") or {}).get("uniqueKeys"):
        raise Refusal(400, f"This emulator does not serve {', '.join(asked) or 'unique keys'}.")
    return {"indexingPolicy": DEFAULT_POLICY, **body, "partitionKey": {"kind": "Hash", **key}}


@dataclass(frozen=True, slots=True)
class Container:
    """A container as the store knows it."""

    number: int
    rid: str
    definition: dict[str, Any]

    @property
    def default_ttl(self) -> int | None:
        """Seconds; None when expiry is off, whatever the documents say."""
        return self.definition.get("defaultTtl")

    @property
    def key_path(self) -> list[str]:
        path: str = self.definition["partitionKey"]["paths"][0]
        return path.strip("/").split("/")

    @property
    def frozen(self) -> frozenset[str]:
        """Top-level properties that no patch may touch."""
        return frozenset({"id", self.key_path[0]})

    def partition_of(self, document: dict[str, Any]) -> str:
        """The document's partition, written as the partition key header writes it."""
        node: Any = document
        for part in self.key_path:
            node = node.get(part, {}) if isinstance(node, dict) else {}
        if isinstance(node, list) or (isinstance(node, dict) and node):
            raise Refusal(400, "A partition key is a string, a number, a boolean or null.")
        return json.dumps([node])

    def check_partition(self, document: dict[str, Any], partition: str) -> None:
        """Return, or raise a Refusal when the document belongs to another partition than the request."""
        if self.partition_of(document) != partition:
            message = "PartitionKey extracted from document doesn't match the one specified in the header."
            raise Refusal(400, message, PARTITION_KEY_MISMATCH)


def partition_header(value: str | None) -> str:
    """The partition named by ``x-ms-documentdb-partitionkey``, in one spelling."""
    try:
        key = json.loads(value or "")
    except ValueError:
        raise Refusal(400, "This emulator serves requests to one partition only: send its key.") from None
    if not isinstance(key, list) or len(key) != 1:
        raise Refusal(400, "A partition key has exactly one value here: hierarchical keys are not served.")
    return json.dumps(key)
