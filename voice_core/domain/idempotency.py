"""Idempotent requests: a caller may send one again under the same key."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from voice_core.domain.journal import Journal


def derived_id(what: str, user_id: str, key: str) -> str:
    """The id of the *what* that is created for the user's *key*: 32 hex digits, always the same, one-way."""
    return sha256(f"{what}\0{user_id}\0{key}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class RequestName:
    """The user and the id of a request."""

    user_id: str
    id: str


@dataclass(frozen=True, slots=True)
class RequestClaim:
    """A request that a worker processes or has processed. Its result is stored elsewhere, under the same id."""

    name: RequestName
    words_digest: str
    """A digest of the request without its recording: differs for another request."""
    worker: str
    until: datetime
    """When the lease of the worker expires unless it is renewed. UTC."""
    journal: Journal | None = None
    """The journal of the turn; None if it was claimed by a version that had none."""
    etag: str = field(default="", compare=False)
    """Names this version of it."""

    def changed(self, **changes: Any) -> "RequestClaim":
        return replace(self, **changes)
