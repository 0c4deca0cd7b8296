"""JSON responses."""

import json
from collections.abc import Mapping
from typing import Any

import azurefunctions.extensions.http.fastapi  # noqa: F401 - makes the Functions worker stream requests and responses
from starlette.responses import JSONResponse, Response

_LINE_ENDS = {"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""Line ends that ``json.dumps`` does not escape, and their escapes. In JSON they occur within strings only."""


def json_response(document: Any, *, status_code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response with *document* as JSON."""
    return JSONResponse(document, status_code, headers)


def compact(document: Any) -> bytes:
    """*document* as JSON in one line, also for readers that end a line at other characters (Unicode, 5.8)."""
    line = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    # str.translate takes a thousand times as long for text that is not ASCII.
    for end, escape in _LINE_ENDS.items():
        line = line.replace(end, escape)
    return line.encode()
