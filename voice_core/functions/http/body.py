"""Request bodies and query strings as the members of a model."""

import asyncio
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from voice_core.domain.errors import InvalidInput, TooLarge
from voice_core.functions.http.request import HttpRequest

if TYPE_CHECKING:
    pass


OTHER_MEMBERS_BYTES = 128_000
"""Room in a JSON or multipart body for all but the recording."""


LISTS = {"phrases", "languages"}


WORDS = {"audiodata", "notes", "query", "text"}
"""Members that are read from a body only."""


def query_options(request: HttpRequest) -> dict[str, Any]:
    """The options in the URL. No words are read there: URLs end up in the logs of others."""
    return _listed(item for item in request.query.multi_items() if item[0].lower() not in WORDS)


def _listed(items: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Named values; the names of lists may be repeated, and their values separated by commas."""
    named: dict[str, Any] = {}
    for name, value in items:
        if name.lower() in LISTS:
            named.setdefault(name, []).extend(part.strip() for part in value.split(",") if part.strip())
        else:
            named[name] = value
    return named


async def read_json(body: bytes) -> dict[str, Any]:
    """*body* as a JSON object.

    Raises:
        InvalidInput: ``json-invalid``.
        TooLarge: ``body-too-large``; more than a recording makes it large.
    """
    # A list of millions holds the interpreter's lock, and so everybody's turn, until it is read; base64 has no commas.
    if body.count(b",") > OTHER_MEMBERS_BYTES:
        raise TooLarge("Only a recording may make the body that large.", code="body-too-large")
    try:
        document = await asyncio.to_thread(json.loads, body) if len(body) > OTHER_MEMBERS_BYTES else json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The body is no JSON. Send an object as docs/api.md shows.", code="json-invalid") from error
    if not isinstance(document, dict):
        raise InvalidInput("The body must be a JSON object.", code="json-invalid")
    return document


def typed(text: str, longest: int) -> str:
    """*text* as it may be said.

    Raises:
        InvalidInput: ``text-empty``.
        TooLarge: ``text-too-long``.
    """
    if not text.strip():
        raise InvalidInput("The text is empty.", code="text-empty")
    if len(text) > longest:
        raise TooLarge(f"The text may have at most {longest} characters.", code="text-too-long")
    return text.strip()
