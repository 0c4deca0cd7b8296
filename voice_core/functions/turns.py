"""/process, /transcribe and /speak: a turn, its first half and its last."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from hashlib import sha256
from uuid import uuid4

import azure.functions as func
from starlette.responses import Response

from voice_core import wiring
from voice_core.domain.errors import InvalidInput
from voice_core.domain.events import Event
from voice_core.domain.speech import SpeechName
from voice_core.functions.http import json_response, negotiate, served
from voice_core.functions.identity import user_id
from voice_core.functions.incoming import Incoming
from voice_core.functions.schemas import (
    ProcessRequest,
    SpeakAnswer,
    SpeakRequest,
    TranscribeAnswer,
    TranscribeRequest,
    parsed,
)
from voice_core.functions.speech_out import AUDIO_OFFERS, whole_members
from voice_core.functions.spoken_request import (
    OTHER_MEMBERS_BYTES,
    SpokenRequest,
    query_options,
    read_json,
    read_spoken,
    typed,
)
from voice_core.functions.turn_answers import EVENT_FRAMES, OFFERS, as_audio, as_events, as_json, as_sound
from voice_core.functions.turn_json import speech_url
from voice_core.usecases.said import Delivery, Said

blueprint = func.Blueprint()

LONGEST_KEY = 200
"""Characters of an Idempotency-Key."""


@blueprint.route("voice/process", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@served
async def post_process(incoming: Incoming) -> Response:
    """Take one turn."""
    media_type = negotiate(incoming.headers.get("accept", ""), OFFERS)
    app = await wiring.ready()
    asked = await read_spoken(incoming, ProcessRequest, app)
    said = _said(incoming, asked, media_type, app.settings.max_text_characters)
    if media_type in AUDIO_OFFERS:
        return await as_audio(incoming, app.take_turn(said), media_type, app.encoder)
    events, url = await _sounding(asked.options, said, app)
    if media_type in EVENT_FRAMES:
        return await as_events(incoming, events, media_type, asked.options.response_format, app.encoder, url)
    return await as_json(incoming, events, asked.options.response_format, app.encoder, url)


@blueprint.route("voice/transcribe", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@served
async def post_transcribe(incoming: Incoming) -> Response:
    """Hear an utterance, and say what was heard."""
    negotiate(incoming.headers.get("accept", ""), ("application/json",))
    app = await wiring.ready()
    asked = await read_spoken(incoming, TranscribeRequest, app)
    utterance = asked.utterance()
    if utterance is None:
        raise InvalidInput("Send a recording: audioData, a file, or the body itself.", code="nothing-said")
    heard = await incoming.unless_gone(app.transcribe(utterance, asked.hints))
    answer = TranscribeAnswer(
        transcription=heard.text,
        language=heard.language,
        confidence=heard.confidence,
        duration_ms=heard.duration_ms,
        format=asked.format,
    )
    return json_response(answer.document())


@blueprint.route("voice/speak", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@served
async def post_speak(incoming: Incoming) -> Response:
    """Speak some words."""
    media_type = negotiate(incoming.headers.get("accept", ""), (*AUDIO_OFFERS, "application/json"))
    app = await wiring.ready()
    asked = parsed(SpeakRequest, query_options(incoming) | await read_json(await incoming.read(OTHER_MEMBERS_BYTES)))
    speech = app.read_aloud(typed(asked.text, app.settings.max_text_characters), asked.voice)
    if media_type in AUDIO_OFFERS:
        return await as_sound(incoming, speech, media_type, app.encoder)
    pcm = b"".join(await incoming.unless_gone(_all(speech)))
    members = await whole_members(pcm, asked.response_format, app.encoder)
    return json_response(SpeakAnswer(**members).document())


async def _sounding(options: ProcessRequest, said: Said, app: wiring.App) -> tuple[AsyncGenerator[Event], str | None]:
    """The turn with its sound in it, or with the URL where that is kept."""
    if options.speech != "url":
        return app.take_turn(said), None
    work = await wiring.ready_for_clips()
    name = SpeechName(said.user_id, said.conversation_id, said.turn_id)
    return work.kept(app.take_turn(said), name), speech_url(name)


async def _all(speech: AsyncGenerator[bytes]) -> list[bytes]:
    async with aclosing(speech):
        return [pcm async for pcm in speech]


def _said(incoming: Incoming, asked: SpokenRequest[ProcessRequest], media_type: str, longest: int) -> Said:
    options, user = asked.options, user_id(incoming)
    utterance = asked.utterance()
    if (utterance is None) == (options.text is None):
        raise InvalidInput(
            "Send either a recording (audioData, a file, or the body itself) or text.", code="nothing-said"
        )
    turn_id, new_conversation_id = _ids(user, incoming.headers.get("idempotency-key"))
    return Said(
        user_id=user,
        turn_id=turn_id,
        conversation_id=options.conversation_id or new_conversation_id,
        begins=options.conversation_id is None,
        utterance=utterance,
        text=typed(options.text, longest) if options.text is not None else "",
        hints=asked.hints,
        voice=options.voice,
        aloud=options.speech != "none" or media_type in AUDIO_OFFERS,
        delivery=_delivery(media_type),
    )


def _delivery(media_type: str) -> Delivery:
    if media_type in EVENT_FRAMES:
        return "events"
    return "speech" if media_type in AUDIO_OFFERS else "whole"


def _ids(user: str, key: str | None) -> tuple[str, str]:
    """The turn's id and the one of a conversation that begins with it: the same for the same key of the same user."""
    if not key:
        return uuid4().hex, uuid4().hex
    if len(key) > LONGEST_KEY:
        raise InvalidInput(f"An Idempotency-Key may have at most {LONGEST_KEY} characters.")
    turn, conversation = (
        sha256(f"{part}\0{user}\0{key}".encode()).hexdigest()[:32] for part in ("turn", "conversation")
    )
    return turn, conversation
