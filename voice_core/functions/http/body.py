"""Request bodies and query strings as the members of a model."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from voice_core.domain.errors import InvalidInput, TooLarge
from voice_core.functions.http.request import HttpRequest

OTHER_MEMBERS_BYTES = 128_000
"""Most bytes of a JSON or multipart body in addition to the recording."""

MOST_ITEMS = 10_000
"""Most commas of a JSON body. 500 phrases of 200 characters are far from it."""

MOST_ESCAPES = 64_000
"""Most backslashes of a JSON body, in addition to one in `ESCAPED_BASE64` bytes."""

ESCAPED_BASE64 = 16
"""Some encoders escape each slash of base64, one character in 64, or both characters of a line's end."""

LONGEST_NUMBER = 40
"""Most characters of a number in JSON."""

LISTS = {"phrases", "languages"}
"""Members that are lists, in lower case."""

WORDS = {"audiodata", "notes", "query", "text"}
"""Members that are read from a body only, in lower case."""


def query_options(request: HttpRequest) -> dict[str, Any]:
    """The options in the URL. Members in `WORDS` are ignored there, because URLs end up in other parties' logs."""
    return listed(item for item in request.query.multi_items() if item[0].lower() not in WORDS)


def listed(items: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Values by name; the name of a list may be repeated, and its values may be separated by commas."""
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
        TooLarge: ``body-too-large``; the body is large for another reason than a recording.
    """
    # Parsing many items holds the interpreter's lock, in any thread, and delays all other requests of this worker.
    # A recording does not count here: base64 has no commas, and few characters of it can be escaped.
    if body.count(b",") > MOST_ITEMS or body.count(b"\\") > MOST_ESCAPES + len(body) // ESCAPED_BASE64:
        raise TooLarge("Only a recording may make the body that large.", code="body-too-large")
    try:
        document = await asyncio.to_thread(_parse, body) if len(body) > OTHER_MEMBERS_BYTES else _parse(body)
    except (ValueError, RecursionError) as error:
        detail = "The body is not valid JSON. Send an object as docs/api.md shows."
        raise InvalidInput(detail, code="json-invalid") from error
    if not isinstance(document, dict):
        raise InvalidInput("The body must be a JSON object.", code="json-invalid")
    return document


def _parse(body: bytes) -> Any:
    return json.loads(body, parse_int=_integer, parse_float=_number)


def _integer(digits: str) -> int:
    return int(_short(digits))


def _number(digits: str) -> float:
    return float(_short(digits))


def _short(digits: str) -> str:
    """*digits*, of which a number has few: converting many takes time that grows with the square of their number."""
    if len(digits) > LONGEST_NUMBER:
        raise ValueError(f"a number of more than {LONGEST_NUMBER} characters")
    return digits


def typed(text: str, longest: int) -> str:
    """*text* that a user typed, without white space around it; *longest* is in characters.

    Raises:
        InvalidInput: ``text-empty``.
        TooLarge: ``text-too-long``.
    """
    if len(text) > longest:
        raise TooLarge(f"The text may have at most {longest} characters.", code="text-too-long")
    if not text.strip():
        raise InvalidInput("The text is empty.", code="text-empty")
    return text.strip()
