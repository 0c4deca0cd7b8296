"""/process, /transcribe and /speak: a turn, recognition alone, and synthesis alone."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import uuid4

import azure.functions as func
from starlette.responses import Response

from voice_core import wiring
from voice_core.domain.errors import InvalidInput
from voice_core.domain.position import Position
from voice_core.domain.speech import SpeechName
from voice_core.functions.http.admission import Admission
from voice_core.functions.http.body import OTHER_MEMBERS_BYTES, query_options, read_json, typed
from voice_core.functions.http.idempotency import IdempotencyKey, idempotency_key, with_replay_header
from voice_core.functions.http.identity import user_id
from voice_core.functions.http.json_response import json_response
from voice_core.functions.http.negotiation import negotiate
from voice_core.functions.http.rate_limit import enforce_limit
from voice_core.functions.http.request import HttpRequest
from voice_core.functions.http.request_model import parsed
from voice_core.functions.http.serve import served
from voice_core.functions.turn.input import TurnInput, read_turn_input
from voice_core.functions.turn.responses import EVENT_FRAMES, OFFERS, as_audio, as_events, as_json, as_speech, received
from voice_core.functions.turn.schemas import (
    ProcessRequest,
    SpeakAnswer,
    SpeakRequest,
    TranscribeAnswer,
    TranscribeRequest,
)
from voice_core.functions.turn.speech_encoding import AUDIO_OFFERS, speech_members
from voice_core.functions.turn.turn_json import speech_url
from voice_core.usecases.idempotency.idempotent_turn import TurnHandlers
from voice_core.usecases.turn.request import Delivery, TurnRequest

blueprint = func.Blueprint()


@blueprint.route("voice/process", methods=["POST"])
@served
async def post_process(request: HttpRequest) -> Response:
    """Take one turn."""
    media_type = negotiate(request.headers.get("accept", ""), OFFERS)
    key = idempotency_key(request)
    app = await wiring.ready()
    admission = Admission(request, "turns")
    turn_input = await read_turn_input(request, ProcessRequest, app, admission)
    if key is not None:
        turn_input = turn_input.with_key(key, app.limits)
    turn_request = _turn_request(request, turn_input, media_type, app.settings.max_text_characters, key)
    handlers, url = await _handlers(
        turn_request, app, by_url=turn_input.options.speech == "url" and media_type not in AUDIO_OFFERS
    )
    await admission.count(hears=turn_request.utterance is not None)
    idempotent_request = turn_input.idempotent_request
    if idempotent_request:
        position = received(request, media_type)
        run = app.keyed_turns.idempotent.run(turn_request, idempotent_request, handlers, position)
        events = with_replay_header(request, run)
    else:
        position, events = Position(), handlers.take(turn_request)
    if media_type in AUDIO_OFFERS:
        return await as_audio(request, events, media_type, app.encoder)
    if media_type in EVENT_FRAMES:
        return await as_events(
            request, events, media_type, turn_input.options.response_format, app.encoder, url, position
        )
    return await as_json(request, events, turn_input.options.response_format, app.encoder, url)


@blueprint.route("voice/transcribe", methods=["POST"])
@served
async def post_transcribe(request: HttpRequest) -> Response:
    """Transcribe an utterance."""
    negotiate(request.headers.get("accept", ""), ("application/json",))
    app = await wiring.ready()
    admission = Admission(request, "transcripts")
    turn_input = await read_turn_input(request, TranscribeRequest, app, admission)
    utterance = turn_input.utterance()
    if utterance is None:
        raise InvalidInput("Send a recording: audioData, a file, or the body itself.", code="nothing-said")
    await admission.count(hears=True)
    metered = app.user_limits.audio_meter.metered(user_id(request), utterance)
    transcript = await request.unless_gone(app.transcribe(metered, turn_input.hints))
    body = TranscribeAnswer(
        transcription=transcript.text,
        language=transcript.language,
        confidence=transcript.confidence,
        duration_ms=transcript.duration_ms,
        format=turn_input.format,
    )
    return json_response(body.document())


@blueprint.route("voice/speak", methods=["POST"])
@served
async def post_speak(request: HttpRequest) -> Response:
    """Speak a text."""
    media_type = negotiate(request.headers.get("accept", ""), (*AUDIO_OFFERS, "application/json"))
    app = await wiring.ready()
    body = parsed(SpeakRequest, query_options(request) | await read_json(await request.read(OTHER_MEMBERS_BYTES)))
    speech = app.read_aloud(typed(body.text, app.settings.max_text_characters), body.voice)
    await enforce_limit(request, "speeches")
    if media_type in AUDIO_OFFERS:
        return await as_speech(request, speech, media_type, app.encoder)
    pcm = b"".join(await request.unless_gone(_all(speech)))
    members = await speech_members(pcm, body.response_format, app.encoder)
    return json_response(SpeakAnswer(**members).document())


async def _handlers(turn_request: TurnRequest, app: wiring.App, *, by_url: bool) -> tuple[TurnHandlers, str | None]:
    """The handlers of the turn, with speech in its events; or, if *by_url*, with speech in a file that has this URL."""
    if not by_url:
        return TurnHandlers(
            app.take_turn, lambda turn, received: app.keyed_turns.replay(turn, turn_request, received)
        ), None
    work = await wiring.ready_for_clips()
    name = SpeechName(turn_request.user_id, turn_request.conversation_id, turn_request.turn_id)
    handlers = TurnHandlers(
        lambda taken: work.without_audio(app.take_turn(taken), name),
        lambda turn, received: work.replay_without_audio(turn, turn_request, received),
    )
    return handlers, speech_url(name)


async def _all(speech: AsyncGenerator[bytes]) -> list[bytes]:
    async with aclosing(speech):
        return [pcm async for pcm in speech]


def _turn_request(
    request: HttpRequest,
    turn_input: TurnInput[ProcessRequest],
    media_type: str,
    longest: int,
    key: IdempotencyKey | None,
) -> TurnRequest:
    options = turn_input.options
    utterance = turn_input.utterance()
    if (utterance is None) == (options.text is None):
        raise InvalidInput(
            "Send either a recording (audioData, a file, or the body itself) or text.", code="nothing-said"
        )
    return TurnRequest(
        user_id=user_id(request),
        turn_id=key.id_of("turn") if key else uuid4().hex,
        conversation_id=options.conversation_id or (key.id_of("conversation") if key else uuid4().hex),
        begins=options.conversation_id is None,
        utterance=utterance,
        text=typed(options.text, longest) if options.text is not None else "",
        hints=turn_input.hints,
        voice=options.voice,
        aloud=options.speech != "none" or media_type in AUDIO_OFFERS,
        delivery=_delivery(media_type),
    )


def _delivery(media_type: str) -> Delivery:
    if media_type in EVENT_FRAMES:
        return "events"
    return "speech" if media_type in AUDIO_OFFERS else "whole"
