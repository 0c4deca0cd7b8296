"""/voices: the voices of speech synthesis."""

import azure.functions as func
from starlette.responses import Response

from voice_core import wiring
from voice_core.domain.language import speaks
from voice_core.functions.http.json_response import json_response
from voice_core.functions.http.request import HttpRequest
from voice_core.functions.http.request_model import parsed
from voice_core.functions.http.serve import served
from voice_core.functions.service.schemas import VoiceAnswer, VoicesAnswer, VoicesQuery

blueprint = func.Blueprint()


@blueprint.route("voice/voices", methods=["GET"])
@served
async def list_voices(request: HttpRequest) -> Response:
    """List the voices that can be requested."""
    language = parsed(VoicesQuery, dict(request.query)).language
    app = await wiring.ready()
    voices = [
        VoiceAnswer(name=voice.name, language=voice.language, gender=voice.gender, display_name=voice.display_name)
        for voice in await request.unless_gone(app.voices())
        if language is None or speaks(voice.language, language)
    ]
    return json_response(VoicesAnswer(voices=voices, default=app.settings.speech_voice).document())
