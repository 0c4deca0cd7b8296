"""Container definitions and their checks, and the partition that a document belongs to."""

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
        Refusal: 400, the id is missing or invalid.
    """
    value = body.get("id")
    if not isinstance(value, str) or not value or len(value.encode()) > MAX_ID_BYTES:
        raise Refusal(400, "The input content is invalid: an id of 1 to 1023 bytes is required.")
    if any(character in value for character in ILLEGAL_IN_IDS):
        raise Refusal(400, f"The input content is invalid: an id holds none of {ILLEGAL_IN_IDS}")
    return value


def checked_ttl(value: Any, name: str) -> int | None:
    """The time to live in seconds, -1 for ever, None when it is not given."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and (value == -1 or value > 0)):
        return value
    raise Refusal(400, f"The input {name} '{value}' is invalid: -1, or a positive number of seconds.")


def checked_definition(body: dict[str, Any]) -> dict[str, Any]:
    """The complete definition of a container, with defaults filled in.

    Raises:
        Refusal: 400, *body* is not valid, or requests a feature that this emulator does not serve.
    """
    checked_id(body)
    checked_ttl(body.get("defaultTtl"), "defaultTtl")
    key = body.get("partitionKey") or {}
    if len(key.get("paths", ())) != 1 or key.get("kind", "Hash") != "Hash":
        raise Refusal(400, "This emulator serves containers with exactly one Hash partition key path only.")
    unsupported = [name for name in UNSUPPORTED if body.get(name)]
    if unsupported or (body.get("uniqueKeyPolicy") or {}).get("uniqueKeys"):
        raise Refusal(400, f"This emulator does not serve {', '.join(unsupported) or 'unique keys'}.")
    return {"indexingPolicy": DEFAULT_POLICY, **body, "partitionKey": {"kind": "Hash", **key}}


@dataclass(frozen=True, slots=True)
class Container:
    """A container in the store."""

    number: int
    rid: str
    definition: dict[str, Any]

    @property
    def default_ttl(self) -> int | None:
        """Seconds; None when expiry is off, even for documents with a ttl."""
        return self.definition.get("defaultTtl")

    @property
    def key_path(self) -> list[str]:
        path: str = self.definition["partitionKey"]["paths"][0]
        return path.strip("/").split("/")

    @property
    def frozen(self) -> frozenset[str]:
        """Top-level properties that a patch must not change."""
        return frozenset({"id", self.key_path[0]})

    def partition_of(self, document: dict[str, Any]) -> str:
        """The document's partition key, in the format of the partition key header."""
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
    """The partition key in ``x-ms-documentdb-partitionkey``, with its JSON normalised."""
    try:
        key = json.loads(value or "")
    except ValueError:
        raise Refusal(400, "This emulator serves requests to one partition only: send its key.") from None
    if not isinstance(key, list) or len(key) != 1:
        raise Refusal(400, "A partition key has exactly one value here: hierarchical keys are not served.")
    return json.dumps(key)
