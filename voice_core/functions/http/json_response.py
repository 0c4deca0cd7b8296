"""JSON responses."""

import json
from collections.abc import Mapping
from typing import Any

import azurefunctions.extensions.http.fastapi  # noqa: F401 - makes the Functions worker stream requests and responses
from starlette.responses import JSONResponse, Response

_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}
"""Those that JSON leaves as they are, as JSON writes others. They can be in text only."""


def json_response(document: Any, *, status_code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(document, status_code, headers)


def compact(document: Any) -> bytes:
    """*document* as JSON in one line, also for readers to whom more than a line feed ends one (Unicode, 5.8)."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).translate(_LINE_ENDS).encode()
