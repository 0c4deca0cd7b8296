"""/process, /transcribe and /speak: a turn, its first half and its last."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import uuid4

import azure.functions as func
from starlette.responses import Response

from voice_core import wiring
from voice_core.domain.errors import InvalidInput
from voice_core.domain.speech import SpeechName
from voice_core.functions.http.body import OTHER_MEMBERS_BYTES, query_options, read_json, typed
from voice_core.functions.http.idempotency import Key, idempotency_key, replays_told
from voice_core.functions.http.identity import user_id
from voice_core.functions.http.json_response import json_response
from voice_core.functions.http.negotiation import negotiate
from voice_core.functions.http.rate_limit import admitted
from voice_core.functions.http.request import Incoming
from voice_core.functions.http.request_model import parsed
from voice_core.functions.http.serve import served
from voice_core.functions.turn.input import SpokenRequest, read_spoken
from voice_core.functions.turn.responses import EVENT_FRAMES, OFFERS, as_audio, as_events, as_json, as_sound
from voice_core.functions.turn.schemas import (
    ProcessRequest,
    SpeakAnswer,
    SpeakRequest,
    TranscribeAnswer,
    TranscribeRequest,
)
from voice_core.functions.turn.speech_encoding import AUDIO_OFFERS, whole_members
from voice_core.functions.turn.turn_json import speech_url
from voice_core.usecases.idempotency.idempotent_turn import Ways
from voice_core.usecases.turn.request import Delivery, Said

blueprint = func.Blueprint()


@blueprint.route("voice/process", methods=["POST"])
@served
async def post_process(incoming: Incoming) -> Response:
    """Take one turn."""
    media_type = negotiate(incoming.headers.get("accept", ""), OFFERS)
    key = idempotency_key(incoming)
    app = await wiring.ready()
    asked = await read_spoken(incoming, ProcessRequest, app)
    if key is not None:
        asked = asked.under(key, app.limits)
    said = _said(incoming, asked, media_type, app.settings.max_text_characters, key)
    ways, url = await _ways(said, app, keeps=asked.options.speech == "url" and media_type not in AUDIO_OFFERS)
    await admitted(incoming, "turns", hears=said.utterance is not None)
    request = asked.request
    events = replays_told(incoming, app.once.turn(said, request, ways)) if request else ways.take(said)
    if media_type in AUDIO_OFFERS:
        return await as_audio(incoming, events, media_type, app.encoder)
    if media_type in EVENT_FRAMES:
        return await as_events(incoming, events, media_type, asked.options.response_format, app.encoder, url)
    return await as_json(incoming, events, asked.options.response_format, app.encoder, url)


@blueprint.route("voice/transcribe", methods=["POST"])
@served
async def post_transcribe(incoming: Incoming) -> Response:
    """Hear an utterance, and say what was heard."""
    negotiate(incoming.headers.get("accept", ""), ("application/json",))
    app = await wiring.ready()
    asked = await read_spoken(incoming, TranscribeRequest, app)
    utterance = asked.utterance()
    if utterance is None:
        raise InvalidInput("Send a recording: audioData, a file, or the body itself.", code="nothing-said")
    await admitted(incoming, "transcripts", hears=True)
    charged = app.quotas.charges.charged(user_id(incoming), utterance)
    heard = await incoming.unless_gone(app.transcribe(charged, asked.hints))
    answer = TranscribeAnswer(
        transcription=heard.text,
        language=heard.language,
        confidence=heard.confidence,
        duration_ms=heard.duration_ms,
        format=asked.format,
    )
    return json_response(answer.document())


@blueprint.route("voice/speak", methods=["POST"])
@served
async def post_speak(incoming: Incoming) -> Response:
    """Speak some words."""
    media_type = negotiate(incoming.headers.get("accept", ""), (*AUDIO_OFFERS, "application/json"))
    app = await wiring.ready()
    asked = parsed(SpeakRequest, query_options(incoming) | await read_json(await incoming.read(OTHER_MEMBERS_BYTES)))
    speech = app.read_aloud(typed(asked.text, app.settings.max_text_characters), asked.voice)
    await admitted(incoming, "speeches")
    if media_type in AUDIO_OFFERS:
        return await as_sound(incoming, speech, media_type, app.encoder)
    pcm = b"".join(await incoming.unless_gone(_all(speech)))
    members = await whole_members(pcm, asked.response_format, app.encoder)
    return json_response(SpeakAnswer(**members).document())


async def _ways(said: Said, app: wiring.App, *, keeps: bool) -> tuple[Ways, str | None]:
    """How the turn is told: with its sound in it, or, where that *keeps*, with the URL of it."""
    if not keeps:
        return Ways(app.take_turn, lambda turn: app.replay(turn, said)), None
    work = await wiring.ready_for_clips()
    name = SpeechName(said.user_id, said.conversation_id, said.turn_id)
    ways = Ways(lambda taken: work.kept(app.take_turn(taken), name), lambda turn: work.replay_kept(turn, said))
    return ways, speech_url(name)


async def _all(speech: AsyncGenerator[bytes]) -> list[bytes]:
    async with aclosing(speech):
        return [pcm async for pcm in speech]


def _said(
    incoming: Incoming, asked: SpokenRequest[ProcessRequest], media_type: str, longest: int, key: Key | None
) -> Said:
    options = asked.options
    utterance = asked.utterance()
    if (utterance is None) == (options.text is None):
        raise InvalidInput(
            "Send either a recording (audioData, a file, or the body itself) or text.", code="nothing-said"
        )
    return Said(
        user_id=user_id(incoming),
        turn_id=key.id_of("turn") if key else uuid4().hex,
        conversation_id=options.conversation_id or (key.id_of("conversation") if key else uuid4().hex),
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
