"""The header ``Idempotency-Key`` (draft-ietf-httpapi-idempotency-key-header-07)."""

import re
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from dataclasses import dataclass

from pydantic import BaseModel

from voice_core.audio.limits import Limits
from voice_core.domain.errors import InvalidInput
from voice_core.domain.events import Event, TurnCreated
from voice_core.domain.idempotency import RequestName, derived_id
from voice_core.functions.http.identity import user_id
from voice_core.functions.http.request import HttpRequest
from voice_core.usecases.idempotency.fingerprint import Fingerprint, IdempotentRequest

HEADER = "Idempotency-Key"

REPLAYED = {"Idempotency-Replayed": "true"}
"""Header of a response when an earlier request with this key was served: a turn, a clip or a session."""

INVOCATION_ID = "x-ms-invocation-id"
"""Header that the Functions host sets, in place of a client's: the request's name, the same in each attempt.

The host's connection to the worker may fail after a request has been carried out. It then delivers a request without
a body again, 10 or 40 times in all (docs/functions-host.md).
"""

LONGEST_KEY = 200
"""Most characters of a key."""

_VISIBLE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A user's name for one request, the same each time that it is sent."""

    user_id: str
    text: str

    def id_of(self, kind: str) -> str:
        """The id of the thing of this *kind* that the request creates, derived from user and key."""
        return derived_id(kind, self.user_id, self.text)

    def request_for(
        self,
        kind: str,
        options: BaseModel,
        upload: AsyncIterable[bytes] | None = None,
        limits: Limits | None = None,
        *,
        layout: str = "",
    ) -> IdempotentRequest:
        """The request that creates a thing of this *kind*; its fingerprint covers *options*, *upload* and *layout*.

        *upload* is its recording, of which no more than *limits* allow is read; *layout* is how the recording is
        encoded.
        """
        # An option that states its default is the same request as one that is left out.
        words = options.model_dump_json(exclude={"audio_data"}, exclude_defaults=True)
        fingerprint = Fingerprint(self.text, f"{words}\0{layout}", upload, limits)
        return IdempotentRequest(RequestName(self.user_id, self.id_of(kind)), fingerprint)


def idempotency_key(request: HttpRequest) -> IdempotencyKey | None:
    """The request's idempotency key, None without the header.

    Raises:
        InvalidInput: ``idempotency-key-invalid``.
    """
    if (header := request.headers.get(HEADER)) is None:
        return None
    if not _VISIBLE.fullmatch(header.strip()) or len(header.strip()) > LONGEST_KEY:
        detail = f"The {HEADER} must be 1 to {LONGEST_KEY} visible ASCII characters, such as a UUID."
        raise InvalidInput(detail, code="idempotency-key-invalid")
    return IdempotencyKey(user_id(request), header.strip())


def invocation_key(request: HttpRequest) -> IdempotencyKey | None:
    """The key of a request that has none of its own and may be delivered repeatedly; None without a host.

    A client that sets the header itself, where no host replaces it, names its own requests, as with `HEADER`: a key is
    valid for its user only. It differs from all values of `HEADER`, which have no spaces.
    """
    name = request.headers.get(INVOCATION_ID)
    return IdempotencyKey(user_id(request), f"invocation {name}") if name else None


async def with_replay_header(request: HttpRequest, events: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
    """Pass on *events*; add the header `REPLAYED` to the response when they replay a stored turn."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, TurnCreated) and event.replayed:
                request.response_headers.update(REPLAYED)
            yield event
