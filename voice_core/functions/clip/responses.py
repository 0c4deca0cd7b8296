"""HTTP responses about a clip: its state as JSON, as events, and in headers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from voice_core.domain.speech import SpeechName
from voice_core.functions.clip.schemas import ClipAnswer, ClipLinks, ClipProblem, ClipProgress, UploadAnswer
from voice_core.functions.http.base_path import BASE
from voice_core.functions.http.event_stream import sse
from voice_core.functions.turn.turn_json import speech_url

if TYPE_CHECKING:
    from voice_core.domain.clip import Clip, UploadPermission

UPDATED = "clip.updated"

SILENCE_SECONDS = 15.0
"""Time without an event after which a comment is sent: front ends close idle connections."""

RETRY_SECONDS = {"waiting": 5, "transcribing": 2, "replying": 1}
"""`Retry-After` by status."""


def location(clip: Clip) -> str:
    return f"{BASE}/clips/{clip.id}"


def etag(clip: Clip) -> str:
    """The ETag of a clip's response. It includes the status, because a clip expires without being written."""
    return f'"{clip.etag.strip(chr(34))}-{clip.status}"'


def retry_headers(clip: Clip) -> dict[str, str]:
    seconds = RETRY_SECONDS.get(clip.status)
    return {} if seconds is None else {"Retry-After": str(seconds)}


def clip_response(clip: Clip, upload: UploadPermission | None = None) -> ClipAnswer:
    """The state of the clip, and with *upload* where to upload its recording."""
    failure = clip.failure
    return ClipAnswer(
        clip_id=clip.id,
        conversation_id=clip.conversation_id,
        status=clip.status,
        created_at=clip.created_at.isoformat(),
        progress=ClipProgress(seconds_done=round(clip.seconds_done, 1), seconds_total=_rounded(clip.seconds_total)),
        upload=_upload(clip, upload) if upload else None,
        problem=ClipProblem(code=failure.code, detail=failure.detail, stage=failure.stage) if failure else None,
        degraded=["speech"] if "speech" in clip.degraded else [],
        links=_links(clip),
    )


async def clip_events(first: Clip, states: AsyncGenerator[Clip]) -> AsyncGenerator[bytes]:
    """Server-sent events: *first*, and each of the following *states*; a comment for one that is repeated."""
    yield _event(0, first)
    number, sent = 1, first
    async with aclosing(states):
        async for clip in states:
            if etag(clip) == etag(sent):
                yield b": still here\n\n"
                continue
            yield _event(number, clip)
            number, sent = number + 1, clip


def _event(number: int, clip: Clip) -> bytes:
    document: dict[str, Any] = clip_response(clip).document() | {"type": UPDATED}
    return sse(str(number), document)


def _upload(clip: Clip, upload: UploadPermission) -> UploadAnswer:
    return UploadAnswer(
        url=upload.url,
        method="PUT",
        headers=upload.headers,
        expires_at=clip.upload_until.isoformat(timespec="seconds"),
    )


def _links(clip: Clip) -> ClipLinks:
    here = location(clip)
    links = ClipLinks()
    if clip.transcribed:
        links.transcript, links.text = f"{here}/transcript.json", f"{here}/transcript.txt"
        links.captions = f"{here}/transcript.vtt"
    if clip.status == "done" and clip.reply:
        links.reply = f"{here}/reply.txt"
        if not clip.degraded:
            links.speech = speech_url(SpeechName(clip.user_id, clip.conversation_id, clip.id))
    return links


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
