"""Conversations and turns as documents, each in its user's partition ``/userId``.

A conversation is a header document, whose id is the conversation's, and one document per turn. A header's ``ttl`` is
never less than that of a turn written before, so no turn outlives its header.
"""

import base64
import json
import re
from datetime import UTC, datetime
from textwrap import shorten
from typing import Any

from voice_core.domain.conversation import Conversation, Turn
from voice_core.domain.errors import InvalidInput, StageFailed

Document = dict[str, Any]

STAGE = "conversations"

SCHEMA = 1

TITLE_LENGTH = 80
"""Characters."""

TOMBSTONE_SECONDS = 90_000
"""How long a deletion is remembered: longer than any turn or clip is in progress, and than an Idempotency-Key lasts."""

INDEXED = ("type", "conversationId", "seq", "updatedAt")
"""Properties by which queries filter and sort."""

_CONVERSATION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TURN_ID = re.compile(r"[^/\\?#\x00-\x1f]{1,255}")


def checked_conversation_id(value: str) -> str:
    """*value*, if it is valid as a document's id and cannot be that of a turn's document.

    Raises:
        InvalidInput: ``conversation-id-invalid``.
    """
    if not _CONVERSATION_ID.fullmatch(value):
        raise InvalidInput("A conversation id is 1 to 64 of A-Z a-z 0-9 _ -.", code="conversation-id-invalid")
    return value


def turn_name(conversation_id: str, turn_id: str) -> str:
    """The id of a turn's document."""
    return f"{conversation_id}:{turn_id}"


def turn_document(user_id: str, turn: Turn, seq: int, ttl_seconds: int) -> Document:
    """A turn, the *seq*-th of its conversation from 1.

    Raises:
        InvalidInput: ``turn-id-invalid``.
    """
    if not _TURN_ID.fullmatch(turn.id):
        raise InvalidInput("A turn id is 1 to 255 characters, none of / \\ ? #.", code="turn-id-invalid")
    return {
        "id": turn_name(turn.conversation_id, turn.id),
        "type": "turn",
        "userId": user_id,
        "conversationId": turn.conversation_id,
        "turnId": turn.id,
        "seq": seq,
        "transcript": turn.transcript,
        "reply": turn.reply,
        "createdAt": utc_text(turn.created_at),
        "spoken": turn.spoken,
        "language": turn.language,
        "interrupted": turn.interrupted,
        "degraded": list(turn.degraded),
        "timings": turn.timings,
        "clipId": turn.clip_id,
        "confidence": turn.confidence,
        "utteranceMs": turn.utterance_ms,
        "fingerprint": turn.fingerprint,
        "schema": SCHEMA,
        "ttl": ttl_seconds,
    }


def turn_from(document: Document) -> Turn:
    """The turn that was stored with `turn_document`."""
    try:
        return Turn(
            id=document["turnId"],
            conversation_id=document["conversationId"],
            transcript=document["transcript"],
            reply=document["reply"],
            created_at=datetime.fromisoformat(document["createdAt"]),
            spoken=document["spoken"],
            language=document["language"],
            interrupted=document["interrupted"],
            degraded=tuple(document["degraded"]),
            timings=document["timings"],
            clip_id=document.get("clipId", ""),
            confidence=document.get("confidence"),
            utterance_ms=document.get("utteranceMs", 0),
            fingerprint=document.get("fingerprint", ""),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable("turn") from error


def header_document(user_id: str, turn: Turn, turn_count: int, ttl_seconds: int, before: Document | None) -> Document:
    """The header of a conversation whose latest turn is *turn*; *before* is the previous one, None at the first turn.

    *turn_count* counts forgotten turns too.
    """
    now = utc_text(turn.created_at)
    old = before or {"title": _title(turn.transcript), "createdAt": now}
    return {
        "id": turn.conversation_id,
        "type": "conversation",
        "userId": user_id,
        "title": old["title"],
        "turnCount": turn_count,
        "forgotten": old.get("forgotten", 0),
        "createdAt": old["createdAt"],
        "updatedAt": max(old.get("updatedAt", now), now),
        "schema": SCHEMA,
        "ttl": max(old.get("ttl", 0), ttl_seconds),
    }


def header_without(header: Document, turn: Document, earliest: Document) -> Document:
    """*header* after *turn* is deleted. If *turn* gave the title, the *earliest* other turn gives it now."""
    title = _title(earliest["transcript"]) if turn["seq"] < earliest["seq"] else header["title"]
    own = {name: value for name, value in header.items() if not name.startswith("_")}
    return own | {"title": title, "forgotten": header.get("forgotten", 0) + 1}


def _title(transcript: str) -> str:
    return shorten(transcript, TITLE_LENGTH, placeholder="…")


def tombstone(
    user_id: str, conversation_id: str, deleted_at: datetime, before: Document | None, *, complete: bool
) -> Document:
    """The header of a deleted conversation, which cannot be read; *before* is the header that it replaces.

    It is *complete* when no turn is left. Until then it must not expire before the turns do.
    """
    return {
        "id": conversation_id,
        "userId": user_id,
        "type": "deleted",
        "deletedAt": utc_text(deleted_at),
        "complete": complete,
        "schema": SCHEMA,
        "ttl": TOMBSTONE_SECONDS if complete or not before else max(before["ttl"], TOMBSTONE_SECONDS),
    }


def is_deleted(header: Document) -> bool:
    return bool(header.get("type") == "deleted")


def deletion_time(header: Document) -> datetime:
    """When the conversation of this tombstone was deleted."""
    if "deletedAt" in header:
        return datetime.fromisoformat(header["deletedAt"])
    return datetime.fromtimestamp(header["_ts"], UTC)


def conversation_from(document: Document) -> Conversation:
    """The conversation of a header."""
    try:
        return Conversation(
            id=document["id"],
            title=document["title"],
            turn_count=document["turnCount"] - document.get("forgotten", 0),
            created_at=datetime.fromisoformat(document["createdAt"]),
            updated_at=datetime.fromisoformat(document["updatedAt"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable("conversation") from error


def seal(scope: str, token: str | None) -> str | None:
    """A continuation for the caller: the SDK's *token*, encoded for URLs and valid only for *scope*."""
    if token is None:
        return None
    return base64.urlsafe_b64encode(json.dumps([scope, token]).encode()).decode().rstrip("=")


def unseal(scope: str, continuation: str | None) -> str | None:
    """The token in *continuation*.

    Raises:
        InvalidInput: ``continuation-invalid``; it was not made for *scope*.
    """
    if continuation is None:
        return None
    try:
        given, token = json.loads(base64.b64decode(continuation + "=" * (-len(continuation) % 4), b"-_", validate=True))
    except (ValueError, TypeError):
        raise invalid_continuation() from None
    # The token becomes a header value, so it must not contain a line break.
    if given != scope or not isinstance(token, str) or not (token.isascii() and token.isprintable() and token):
        raise invalid_continuation()
    return token


def invalid_continuation() -> InvalidInput:
    return InvalidInput("The continuation does not belong to this list.", code="continuation-invalid")


def utc_text(moment: datetime) -> str:
    """*moment* as text in UTC, always of the same length, so that it sorts by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _unreadable(what: str) -> StageFailed:
    return StageFailed(f"A stored {what} is not readable.", stage="conversations", retryable=False)
