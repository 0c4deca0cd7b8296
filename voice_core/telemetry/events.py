"""What is told of an event: a line of the log, and whoever watches."""

import logging
import sys
from collections.abc import Iterator, Mapping
from traceback import format_tb

from voice_core.domain.errors import StageFailed, VoiceError
from voice_core.telemetry.signals import Signal
from voice_core.telemetry.tracing import current_span, request_id
from voice_core.telemetry.watchers import tell_event

logger = logging.getLogger("voice")


def event(name: str, facts: Mapping[str, object], *, user_id: str = "") -> None:
    """Tell that *name* happened, with facts that hold no one's words; what is None is left out.

    The log does not say to which user; watchers are told, and may count users.
    """
    told = log(name, facts)
    tell_event(Signal(name=name, facts=told, trace=current_span(), user_id=user_id))


def log(name: str, facts: Mapping[str, object]) -> dict[str, object]:
    """Write a line to the log; gives the facts that are known."""
    known = {"request": request_id() or None, **facts}
    told = {key: value for key, value in known.items() if value is not None}
    facts_told = " ".join(f"{key}={_on_one_line(value)}" for key, value in told.items())
    logger.info("%s %s", name, facts_told, extra={"facts": told})
    return told


def _on_one_line(value: object) -> str:
    """*value* without anything that could look like the end of a line."""
    return "".join(character if character.isprintable() else " " for character in str(value))


def reason(error: BaseException) -> dict[str, object]:
    """What may be told of *error*: not a vendor's message, which could hold someone's words, nor what a caller sent."""
    facts: dict[str, object] = {}
    if isinstance(error, VoiceError):
        ours = isinstance(error, StageFailed)
        facts = {"code": error.code, "stage": error.stage, "detail": error.detail if ours else None}
    cause = error.__cause__ or (None if facts else error)
    return {**facts, "cause": type(cause).__name__ if cause else None}


def unexpected(where: str) -> None:
    """Log the exception being handled, which is a mistake of ours, with its traceback but without its message."""
    error = sys.exception()
    logger.error("unexpected request=%s where=%s %s", request_id(), where, "".join(_where_from(error)))
    tell_event(Signal(name="unexpected", facts={"where": where}, trace=current_span()))


def _where_from(error: BaseException | None) -> Iterator[str]:
    """An exception and those it comes of. Their messages may quote somebody: they are left out."""
    while error is not None:
        yield f"{type(error).__name__}\n{''.join(format_tb(error.__traceback__))}"
        error = error.__cause__ or error.__context__
