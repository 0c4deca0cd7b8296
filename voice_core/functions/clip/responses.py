"""How a clip's job is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any

from voice_core.domain.speech import SpeechName
from voice_core.functions.clip.schemas import ClipAnswer, ClipLinks, ClipProblem, ClipProgress, UploadAnswer
from voice_core.functions.http.base_path import BASE
from voice_core.functions.http.event_stream import sse
from voice_core.functions.turn.turn_json import speech_url

if TYPE_CHECKING:
    from voice_core.domain.clip import Clip, Slot

UPDATED = "clip.updated"

LOOK_SECONDS = 0.5
"""Between two looks at a job that somebody follows."""

SILENCE_SECONDS = 15.0
"""After which a comment shows that the stream lives: front ends close what is idle."""

RETRY_SECONDS = {"waiting": 5, "transcribing": 2, "replying": 1}
"""When to ask again, by status."""


def location(clip: Clip) -> str:
    return f"{BASE}/clips/{clip.id}"


def etag(clip: Clip) -> str:
    """Names what is told of the job; it expires without being written."""
    return f'"{clip.etag.strip(chr(34))}-{clip.status}"'


def retry_headers(clip: Clip) -> dict[str, str]:
    seconds = RETRY_SECONDS.get(clip.status)
    return {} if seconds is None else {"Retry-After": str(seconds)}


def answer(clip: Clip, slot: Slot | None = None) -> ClipAnswer:
    """The job, and with *slot* where to put its recording."""
    failure = clip.failure
    return ClipAnswer(
        clip_id=clip.id,
        conversation_id=clip.conversation_id,
        status=clip.status,
        created_at=clip.created_at.isoformat(),
        progress=ClipProgress(seconds_done=round(clip.seconds_done, 1), seconds_total=_rounded(clip.seconds_total)),
        upload=_upload(clip, slot) if slot else None,
        problem=ClipProblem(code=failure.code, detail=failure.detail, stage=failure.stage) if failure else None,
        degraded=["speech"] if "speech" in clip.degraded else [],
        links=_links(clip),
    )


async def followed(look: Callable[[], Awaitable[Clip]]) -> AsyncGenerator[bytes]:
    """Server-sent events: the job whenever it has changed, until it has ended."""
    number, told, spoke = 0, "", monotonic()
    while True:
        clip = (await look()).at(datetime.now(UTC))
        if etag(clip) != told:
            document: dict[str, Any] = answer(clip).document() | {"type": UPDATED}
            yield sse(number, document)
            number, told, spoke = number + 1, etag(clip), monotonic()
        elif monotonic() - spoke > SILENCE_SECONDS:
            yield b": still here\n\n"
            spoke = monotonic()
        if clip.ended:
            return
        await asyncio.sleep(LOOK_SECONDS)


def _upload(clip: Clip, slot: Slot) -> UploadAnswer:
    return UploadAnswer(
        url=slot.url, method="PUT", headers=slot.headers, expires_at=clip.upload_until.isoformat(timespec="seconds")
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
