"""Clips as documents, each in its user's partition ``/userId``."""

from datetime import datetime

from voice_core.adapters.cosmos.documents import Document, utc_text
from voice_core.domain.clip import Clip, ClipClaim, Failure
from voice_core.domain.errors import StageFailed
from voice_core.domain.speech import Hints

STAGE = "clips"

SCHEMA = 1

INDEXED = ("conversationId",)
"""Properties by which queries filter."""


def clip_document(clip: Clip, ttl_seconds: int) -> Document:
    """The document of a job."""
    return {
        "id": clip.id,
        "userId": clip.user_id,
        "conversationId": clip.conversation_id,
        "createdAt": utc_text(clip.created_at),
        "uploadUntil": utc_text(clip.upload_until),
        "languages": list(clip.hints.languages),
        "phrases": list(clip.hints.phrases),
        "reply": clip.reply,
        "notes": clip.notes,
        "status": clip.status,
        "claim": clip.claim and {"worker": clip.claim.worker, "until": utc_text(clip.claim.until)},
        "attempts": clip.attempts,
        "recording": clip.recording,
        "secondsDone": clip.seconds_done,
        "secondsTotal": clip.seconds_total,
        "countedMs": clip.counted_ms,
        "degraded": list(clip.degraded),
        "failure": clip.failure
        and {"code": clip.failure.code, "detail": clip.failure.detail, "stage": clip.failure.stage},
        "transcribed": clip.transcribed,
        "fingerprint": clip.fingerprint,
        "schema": SCHEMA,
        "ttl": ttl_seconds,
    }


def clip_from(document: Document) -> Clip:
    """The job that was stored with `clip_document`."""
    claim, failure = document.get("claim"), document.get("failure")
    try:
        return Clip(
            id=document["id"],
            user_id=document["userId"],
            conversation_id=document["conversationId"],
            created_at=_read(document["createdAt"]),
            upload_until=_read(document["uploadUntil"]),
            hints=Hints(tuple(document["languages"]), tuple(document["phrases"])),
            reply=document["reply"],
            notes=document["notes"],
            status=document["status"],
            claim=ClipClaim(claim["worker"], _read(claim["until"])) if claim else None,
            attempts=document["attempts"],
            recording=document["recording"],
            seconds_done=document["secondsDone"],
            seconds_total=document["secondsTotal"],
            counted_ms=document.get("countedMs", 0),
            degraded=tuple(document["degraded"]),
            failure=Failure(failure["code"], failure["detail"], failure["stage"]) if failure else None,
            transcribed=document["transcribed"],
            fingerprint=document.get("fingerprint", ""),
            etag=document["_etag"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StageFailed("A stored clip is not readable.", stage=STAGE, retryable=False) from error


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text)
