"""What an operator sees of a request: one id in every line of its log, and how long each turn's stages took.

Never what was said, nor keys or tokens.
"""

import logging
import re
import secrets
from collections.abc import Mapping
from contextvars import ContextVar

from voice_core.domain.errors import VoiceError

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
    """Log that *name* happened, with facts that hold no one's words; what is None is left out."""
    known = {"request": request_id() or None, **facts}
    told = {key: value for key, value in known.items() if value is not None}
    logger.info("%s %s", name, " ".join(f"{key}={value}" for key, value in told.items()), extra={"facts": told})


def reason(error: BaseException) -> dict[str, object]:
    """What may be told of *error* in a log: not a vendor's message, which could hold someone's words."""
    facts = {"code": error.code, "stage": error.stage, "detail": error.detail} if isinstance(error, VoiceError) else {}
    cause = error.__cause__ or (None if facts else error)
    return {**facts, "cause": type(cause).__name__ if cause else None}


def unexpected(where: str) -> None:
    """Log the exception being handled, which is a mistake of ours, with its traceback."""
    logger.exception("unexpected request=%s where=%s", request_id(), where)
