"""What an operator sees of a request: one id in every line of its log, and how long each turn's stages took.

Never what was said, nor keys or tokens.
"""

import logging
import re
import secrets
from collections.abc import Mapping
from contextvars import ContextVar

logger = logging.getLogger("voice")

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""https://www.w3.org/TR/trace-context/#traceparent-header"""


def begin_request(traceparent: str | None) -> str:
    """Name the request being served after its caller's trace, or anew; 32 hex digits."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    request_id = match[1] if match else secrets.token_hex(16)
    _request_id.set(request_id)
    return request_id


def request_id() -> str:
    """The id of the request being served."""
    return _request_id.get()


def event(name: str, facts: Mapping[str, object]) -> None:
    """Log that *name* happened, with facts that hold no one's words."""
    logger.info("%s %s", name, " ".join(f"{key}={value}" for key, value in facts.items()), extra={"facts": dict(facts)})
