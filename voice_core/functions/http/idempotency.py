"""Requests that may be sent again: draft-ietf-httpapi-idempotency-key-header-07."""

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
"""Told with what was answered before."""

LONGEST_KEY = 200
"""Characters."""

_VISIBLE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """What names one request of one user, each time that it is sent."""

    user_id: str
    text: str

    def id_of(self, what: str) -> str:
        """The id of *what* comes of the request."""
        return derived_id(what, self.user_id, self.text)

    def request_for(
        self,
        what: str,
        options: BaseModel,
        upload: AsyncIterable[bytes] | None = None,
        limits: Limits | None = None,
        *,
        layout: str = "",
    ) -> IdempotentRequest:
        """The request for *what*, known by its *options*, the bytes of its *upload*, and how those are laid out."""
        # What is left at its default may as well have been left out.
        words = options.model_dump_json(exclude={"audio_data"}, exclude_defaults=True)
        fingerprint = Fingerprint(self.text, f"{words}\0{layout}", upload, limits)
        return IdempotentRequest(RequestName(self.user_id, self.id_of(what)), fingerprint)


def idempotency_key(request: HttpRequest) -> IdempotencyKey | None:
    """The request's key; None when it has none.

    Raises:
        InvalidInput: ``idempotency-key-invalid``.
    """
    if (sent := request.headers.get(HEADER)) is None:
        return None
    if not _VISIBLE.fullmatch(sent.strip()) or len(sent.strip()) > LONGEST_KEY:
        detail = f"An {HEADER} is 1 to {LONGEST_KEY} visible ASCII characters, such as a UUID."
        raise InvalidInput(detail, code="idempotency-key-invalid")
    return IdempotencyKey(user_id(request), sent.strip())


async def with_replay_header(request: HttpRequest, events: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
    """*events*; when they are told again, the answer's headers say so."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, TurnCreated) and event.replayed:
                request.response_headers.update(REPLAYED)
            yield event
