"""/health: whether this worker is alive, and on request whether its dependencies are available.

It needs no authentication, because a probe has no token. So it reports nothing about users, and many requests cost no
more than one.
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
    """Report health; ``deep=1`` checks the dependencies, ``warm=1`` first prepares a fast first turn."""
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
        return _response(checks, {name: breaker.state for name, breaker in app.guards.breakers.items()})
    mistake = identity_mistake(app.settings)
    # A worker whose configuration rejects every caller is unhealthy.
    return _response({"identity": Check(ok=False, ms=0, detail=mistake)} if mistake else {}, {})


def _response(checks: Mapping[str, Check], breakers: Mapping[str, State]) -> Response:
    ok = all(check.ok for check in checks.values())
    reported = {
        name: CheckAnswer(ok=check.ok, ms=check.ms, detail=check.detail, breaker=breakers.get(name))
        for name, check in checks.items()
    }
    health = HealthAnswer(status="ok" if ok else "degraded", checks=reported or None)
    return json_response(health.document(), status_code=200 if ok else 503)
