"""A request that its caller may send again under the same key."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any


def derived_id(what: str, user_id: str, key: str) -> str:
    """The id of *what* is made for the user's *key*: always the same, 32 hex digits, which do not tell the key."""
    return sha256(f"{what}\0{user_id}\0{key}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class RequestName:
    """Whose request, and which."""

    user_id: str
    id: str


@dataclass(frozen=True, slots=True)
class RequestClaim:
    """A request that a worker is at, or was. What came of it is kept elsewhere, under an id of the same key."""

    name: RequestName
    words_digest: str
    """Tells what it asked from anything else, the recording apart."""
    worker: str
    until: datetime
    """When the worker counts as dead unless it is heard of again. UTC."""
    etag: str = field(default="", compare=False)
    """Names this version of it."""

    def changed(self, **changes: Any) -> "RequestClaim":
        return replace(self, **changes)
