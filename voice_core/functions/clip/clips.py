"""/clips: recordings too long for one request. Opened here, uploaded to Blob storage, processed once uploaded."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import azure.functions as func
from starlette.responses import Response

from voice_core import telemetry, wiring
from voice_core.domain.errors import NotFound
from voice_core.domain.speech import Hints
from voice_core.functions.clip.blob_reference import BlobReference
from voice_core.functions.clip.responses import (
    SILENCE_SECONDS,
    clip_events,
    clip_response,
    etag,
    location,
    retry_headers,
)
from voice_core.functions.clip.schemas import ClipPart, ClipPath, ClipRequest
from voice_core.functions.http.body import OTHER_MEMBERS_BYTES, query_options, read_json
from voice_core.functions.http.idempotency import REPLAYED, IdempotencyKey, idempotency_key, invocation_key
from voice_core.functions.http.identity import user_id
from voice_core.functions.http.json_response import json_response
from voice_core.functions.http.negotiation import negotiate
from voice_core.functions.http.rate_limit import enforce_limit, limited_stream
from voice_core.functions.http.request import HttpRequest
from voice_core.functions.http.request_model import parsed
from voice_core.functions.http.serve import served
from voice_core.functions.http.streamed_response import StreamedResponse
from voice_core.settings import clip_source

if TYPE_CHECKING:
    from voice_core.domain.clip import Clip, ClipName
    from voice_core.usecases.clip.offer_clip import NewClip
    from voice_core.wiring.clips import ClipWork

blueprint = func.Blueprint()

CONTAINER = "clips"
POISON = "webjobs-blobtrigger-poison"
"""Where the host puts events that failed as often as ``poisonBlobThreshold`` in host.json allows."""

STORAGE = "AzureWebJobsStorage"

MEDIA_TYPES = {"json": "application/json", "txt": "text/plain", "vtt": "text/vtt"}


@blueprint.route("voice/clips", methods=["POST"])
@served
async def post_clip(request: HttpRequest) -> Response:
    """Open a clip, and return where to upload its recording."""
    key = idempotency_key(request)
    data = await request.read(OTHER_MEMBERS_BYTES)
    body = parsed(ClipRequest, query_options(request) | (await read_json(data) if data else {}))
    work = await wiring.ready_for_clips()
    new_clip = _new_clip(body, user_id(request), key if key or data else invocation_key(request))
    await enforce_limit(request, "clips", hears=True)
    offer = await work.offer(new_clip)
    clip, upload = offer.clip, offer.upload
    if body.content_type and upload:
        upload.headers["Content-Type"] = body.content_type
    request.response_headers.update(REPLAYED if offer.replayed else {})
    headers = {"Location": location(clip), "ETag": etag(clip)} | retry_headers(clip)
    return json_response(clip_response(clip, upload).document(), status_code=202, headers=headers)


@blueprint.route("voice/clips/{clipId}", methods=["GET"])
@served
async def get_clip(request: HttpRequest) -> Response:
    """The state of a clip: once, or as events until it has ended."""
    media_type = negotiate(request.headers.get("accept", ""), ("application/json", "text/event-stream"))
    name = _clip_name(request)
    work = await wiring.ready_for_clips()
    if media_type == "text/event-stream":
        slot = wiring.app().user_limits.event_streams.acquire(name.user_id)
        states = work.followers.follow(name, SILENCE_SECONDS)
        events = clip_events(await anext(states), states)
        return StreamedResponse(request, limited_stream(slot, events), media_type, {})
    clip = await _find(name, work)
    headers = {"ETag": etag(clip), "Cache-Control": "no-cache"} | retry_headers(clip)
    if request.has(etag(clip)):
        return Response(status_code=304, headers=headers)
    return json_response(clip_response(clip).document(), headers=headers)


@blueprint.route("voice/clips/{clipId}", methods=["DELETE"])
@served
async def delete_clip(request: HttpRequest) -> Response:
    """Cancel a clip and delete its recording and its results."""
    name = _clip_name(request)
    work = await wiring.ready_for_clips()
    await work.cancel(name)
    return Response(status_code=204)


@blueprint.route("voice/clips/{clipId}/{part}", methods=["GET"])
@served
async def get_clip_part(request: HttpRequest) -> Response:
    """The transcript in one of its formats, or the reply."""
    part = parsed(ClipPart, dict(request.path)).part
    work = await wiring.ready_for_clips()
    clip = await _find(_clip_name(request), work)
    if not clip.transcribed:
        raise NotFound("This clip has no transcript yet.", code="artefact-missing")
    data = await work.artefacts.get(clip.name, part)
    return Response(data, media_type=MEDIA_TYPES[part.rpartition(".")[2]], headers={"Cache-Control": "private"})


@blueprint.blob_trigger(
    arg_name="uploaded",
    path=f"{CONTAINER}/{{name}}",
    connection=STORAGE,
    source=func.BlobSource(clip_source()),
)
async def take_clip(uploaded: BlobReference) -> None:
    """Process a recording that has been uploaded. When this raises, the host delivers the event again."""
    telemetry.begin_request(None)
    work = await wiring.ready_for_clips()
    name = work.name_of(uploaded.name)
    try:
        if name is not None:
            await work.process(name)
            return
    except NotFound:
        name = None
    telemetry.event("clip-foreign", {"container": uploaded.container})


@blueprint.queue_trigger(arg_name="message", queue_name=POISON, connection=STORAGE)
async def give_up_clip(message: func.QueueMessage) -> None:
    """Mark the clip of a poison message as failed: no worker will process it any more."""
    telemetry.begin_request(None)
    blob = json.loads(message.get_body())
    work = await wiring.ready_for_clips()
    name = work.name_of(blob["BlobName"]) if blob["ContainerName"] == CONTAINER else None
    if name is not None:
        await work.give_up(name)


def _new_clip(body: ClipRequest, user: str, key: IdempotencyKey | None) -> "NewClip":
    from voice_core.usecases.clip.offer_clip import NewClip

    languages = (body.language,) if body.language else tuple(body.languages)
    return NewClip(
        user_id=user,
        conversation_id=body.conversation_id,
        size_bytes=body.size_bytes,
        in_blocks=body.blocks,
        hints=Hints(languages, tuple(body.phrases)),
        reply=body.reply,
        notes=body.notes,
        request=key.request_for("clip", body) if key else None,
    )


def _clip_name(request: HttpRequest) -> "ClipName":
    from voice_core.domain.clip import ClipName

    return ClipName(user_id(request), parsed(ClipPath, dict(request.path)).clip_id)


async def _find(name: "ClipName", work: "ClipWork") -> "Clip":
    return (await work.clips.get(name)).at(datetime.now(UTC))
