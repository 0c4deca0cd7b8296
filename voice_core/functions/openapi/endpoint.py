"""/openapi.json: the contract of the API."""

import azure.functions as func
from starlette.responses import Response

from voice_core import wiring
from voice_core.functions.http.json_response import json_response
from voice_core.functions.http.request import HttpRequest
from voice_core.functions.http.serve import served_publicly

blueprint = func.Blueprint()


@blueprint.route("voice/openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@served_publicly
async def get_openapi(_request: HttpRequest) -> Response:
    """Get the OpenAPI document."""
    from voice_core.functions.openapi.document import contract

    return json_response(contract(wiring.app().settings.max_text_characters))
