"""Frames of server-sent events (WHATWG HTML, 9.2) and of newline-delimited JSON."""

from typing import Any

from voice_core.functions.http.json_response import compact


def sse(number: int, document: dict[str, Any]) -> bytes:
    """The *document* as server-sent event; its number is the event's id.

    https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
    """
    return b"event: %s\nid: %d\ndata: %s\n\n" % (document["type"].encode(), number, compact(document))


def ndjson(_number: int, document: dict[str, Any]) -> bytes:
    """The *document* as one line."""
    return compact(document) + b"\n"
