"""Events: each is a line of the log, and is reported to the watchers."""

import logging
import sys
from collections.abc import Iterator, Mapping
from traceback import format_tb

from voice_core.domain.errors import StageFailed, VoiceError
from voice_core.telemetry.signals import EventSignal
from voice_core.telemetry.tracing import current_span, request_id
from voice_core.telemetry.watchers import report_event

logger = logging.getLogger("voice")


def event(name: str, facts: Mapping[str, object], *, user_id: str = "") -> None:
    """Report the event *name*, with facts that hold no words of users; a fact that is None is left out.

    The log does not name the user. Watchers get *user_id*, and may count users.
    """
    logged = log(name, facts)
    report_event(EventSignal(name=name, facts=logged, trace=current_span(), user_id=user_id))


def log(name: str, facts: Mapping[str, object]) -> dict[str, object]:
    """Write a line to the log; returns the facts that are not None."""
    known = {"request": request_id() or None, **facts}
    logged = {key: value for key, value in known.items() if value is not None}
    text = " ".join(f"{key}={_on_one_line(value)}" for key, value in logged.items())
    logger.info("%s %s", name, text, extra={"facts": logged})
    return logged


def _on_one_line(value: object) -> str:
    """*value* with a space for each character that is not printable, so that it cannot forge a line of the log."""
    return "".join(character if character.isprintable() else " " for character in str(value))


def reason(error: BaseException) -> dict[str, object]:
    """Facts of *error* that may be logged: no vendor's message, which may hold a user's words, nor a caller's input."""
    facts: dict[str, object] = {}
    if isinstance(error, VoiceError):
        ours = isinstance(error, StageFailed)
        facts = {"code": error.code, "stage": error.stage, "detail": error.detail if ours else None}
    cause = error.__cause__ or (None if facts else error)
    return {**facts, "cause": type(cause).__name__ if cause else None}


def unexpected(where: str) -> None:
    """Log the exception being handled, a bug of ours, with its traceback but without its message."""
    error = sys.exception()
    logger.error("unexpected request=%s where=%s %s", request_id(), where, "".join(_where_from(error)))
    report_event(EventSignal(name="unexpected", facts={"where": where}, trace=current_span()))


def _where_from(error: BaseException | None) -> Iterator[str]:
    """The types and tracebacks of an exception and its causes. Messages are left out: they may quote a user."""
    while error is not None:
        yield f"{type(error).__name__}\n{''.join(format_tb(error.__traceback__))}"
        error = error.__cause__ or error.__context__
