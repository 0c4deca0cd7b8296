"""Frames of server-sent events (WHATWG HTML, 9.2) and of newline-delimited JSON."""

from typing import Any

from voice_core.functions.http.json_response import compact


def sse(event_id: str, document: dict[str, Any]) -> bytes:
    """The *document* as server-sent event.

    https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
    """
    return b"event: %s\nid: %s\ndata: %s\n\n" % (document["type"].encode(), event_id.encode(), compact(document))


def ndjson(_event_id: str, document: dict[str, Any]) -> bytes:
    """The *document* as one line."""
    return compact(document) + b"\n"
