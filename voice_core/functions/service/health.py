"""/health: whether this worker lives, and on request whether all it needs does.

Anyone may ask: a probe has no token. So it tells nothing of anybody, and many who ask cost no more than one.
"""

from collections.abc import Mapping

import azure.functions as func
from starlette.responses import Response

from voice_core import wiring
from voice_core.functions.http.json_response import json_response
from voice_core.functions.http.request import HttpRequest
from voice_core.functions.http.request_model import parsed
from voice_core.functions.http.serve import served_publicly
from voice_core.functions.service.schemas import CheckAnswer, HealthAnswer, HealthQuery
from voice_core.usecases.check_health import Check
from voice_core.usecases.resilience.circuit_breaker import State
from voice_core.wiring.identity import identity_mistake

blueprint = func.Blueprint()


@blueprint.route("voice/health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@served_publicly
async def get_health(request: HttpRequest) -> Response:
    """Alive; with ``deep=1`` also which dependency is not, with ``warm=1`` ready for a quick first turn."""
    query = parsed(HealthQuery, dict(request.query))
    app = wiring.app()
    if query.warm:
        await app.warm()
    if query.deep:
        await app.load()
        await app.load_callers()
        if app.settings.storage_url:
            await app.load_clips()
        checks = await app.health_check.result()
        return _answered(checks, {name: breaker.state for name, breaker in app.guards.breakers.items()})
    mistake = identity_mistake(app.settings)
    # A worker that lets nobody in is not well, however it is otherwise.
    return _answered({"identity": Check(ok=False, ms=0, detail=mistake)} if mistake else {}, {})


def _answered(checks: Mapping[str, Check], breakers: Mapping[str, State]) -> Response:
    whole = all(check.ok for check in checks.values())
    told = {
        name: CheckAnswer(ok=check.ok, ms=check.ms, detail=check.detail, breaker=breakers.get(name))
        for name, check in checks.items()
    }
    answer = HealthAnswer(status="ok" if whole else "degraded", checks=told or None)
    return json_response(answer.document(), status_code=200 if whole else 503)
