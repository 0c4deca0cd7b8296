"""/clips: recordings too long for one request. Opened here, uploaded to Blob storage, worked on when they are there."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import azure.functions as func
from starlette.responses import Response

from voice_core import telemetry, wiring
from voice_core.domain.errors import NotFound
from voice_core.domain.speech import Hints
from voice_core.functions.clip.blob_reference import BlobReference
from voice_core.functions.clip.responses import answer, etag, followed, location, retry_headers
from voice_core.functions.clip.schemas import ClipPart, ClipPath, ClipRequest
from voice_core.functions.http.body import OTHER_MEMBERS_BYTES, query_options, read_json
from voice_core.functions.http.idempotency import REPLAYED, Key, idempotency_key
from voice_core.functions.http.identity import user_id
from voice_core.functions.http.json_response import json_response
from voice_core.functions.http.negotiation import negotiate
from voice_core.functions.http.rate_limit import admitted
from voice_core.functions.http.request import Incoming
from voice_core.functions.http.request_model import parsed
from voice_core.functions.http.serve import served
from voice_core.functions.http.streamed_response import StreamedResponse
from voice_core.settings import clip_source

if TYPE_CHECKING:
    from voice_core.domain.clip import Clip, ClipName
    from voice_core.usecases.clip.offer_clip import Wanted
    from voice_core.wiring.clips import ClipWork

blueprint = func.Blueprint()

CONTAINER = "clips"
POISON = "webjobs-blobtrigger-poison"
"""Where the host puts events that failed as often as ``poisonBlobThreshold`` in host.json allows."""

STORAGE = "AzureWebJobsStorage"

MEDIA_TYPES = {"json": "application/json", "txt": "text/plain", "vtt": "text/vtt"}


@blueprint.route("voice/clips", methods=["POST"])
@served
async def post_clip(incoming: Incoming) -> Response:
    """Open a clip, and say where to upload its recording."""
    key = idempotency_key(incoming)
    body = await incoming.read(OTHER_MEMBERS_BYTES)
    asked = parsed(ClipRequest, query_options(incoming) | (await read_json(body) if body else {}))
    work = await wiring.ready_for_clips()
    wanted = _wanted(asked, user_id(incoming), key)
    await admitted(incoming, "clips", hears=True)
    offered = await work.offer(wanted)
    clip, slot = offered.clip, offered.slot
    if asked.content_type and slot:
        slot.headers["Content-Type"] = asked.content_type
    incoming.told.update(REPLAYED if offered.replayed else {})
    headers = {"Location": location(clip), "ETag": etag(clip)} | retry_headers(clip)
    return json_response(answer(clip, slot).document(), status_code=202, headers=headers)


@blueprint.route("voice/clips/{clipId}", methods=["GET"])
@served
async def get_clip(incoming: Incoming) -> Response:
    """How far a clip is: once, or as events until it has ended."""
    media_type = negotiate(incoming.headers.get("accept", ""), ("application/json", "text/event-stream"))
    name = _named(incoming)
    work = await wiring.ready_for_clips()
    clip = await _found(name, work)
    if media_type == "text/event-stream":
        return StreamedResponse(incoming, followed(lambda: work.clips.get(name)), media_type, {})
    headers = {"ETag": etag(clip), "Cache-Control": "no-cache"} | retry_headers(clip)
    if incoming.has(etag(clip)):
        return Response(status_code=304, headers=headers)
    return json_response(answer(clip).document(), headers=headers)


@blueprint.route("voice/clips/{clipId}", methods=["DELETE"])
@served
async def delete_clip(incoming: Incoming) -> Response:
    """Cancel a clip and remove what was made of it."""
    name = _named(incoming)
    work = await wiring.ready_for_clips()
    await work.cancel(name)
    return Response(status_code=204)


@blueprint.route("voice/clips/{clipId}/{part}", methods=["GET"])
@served
async def get_clip_part(incoming: Incoming) -> Response:
    """The transcript in one of its forms, or the reply."""
    part = parsed(ClipPart, dict(incoming.path)).part
    work = await wiring.ready_for_clips()
    clip = await _found(_named(incoming), work)
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
    """Work on a recording that has arrived. What it raises has the host try again."""
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
    """Say of a recording that nobody will work on any more that it failed."""
    telemetry.begin_request(None)
    told = json.loads(message.get_body())
    work = await wiring.ready_for_clips()
    name = work.name_of(told["BlobName"]) if told["ContainerName"] == CONTAINER else None
    if name is not None:
        await work.give_up(name)


def _wanted(asked: ClipRequest, user: str, key: Key | None) -> "Wanted":
    from voice_core.usecases.clip.offer_clip import Wanted

    languages = (asked.language,) if asked.language else tuple(asked.languages)
    return Wanted(
        user_id=user,
        conversation_id=asked.conversation_id,
        size_bytes=asked.size_bytes,
        in_blocks=asked.blocks,
        hints=Hints(languages, tuple(asked.phrases)),
        reply=asked.reply,
        notes=asked.notes,
        request=key.request("clip", asked) if key else None,
    )


def _named(incoming: Incoming) -> "ClipName":
    from voice_core.domain.clip import ClipName

    return ClipName(user_id(incoming), parsed(ClipPath, dict(incoming.path)).clip_id)


async def _found(name: "ClipName", work: "ClipWork") -> "Clip":
    return (await work.clips.get(name)).at(datetime.now(UTC))
