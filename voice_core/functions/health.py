"""/health: whether this worker lives, and on request whether all it needs does."""

import asyncio
from time import monotonic

import azure.functions as func
from starlette.responses import Response

from voice_core import wiring
from voice_core.domain.errors import VoiceError
from voice_core.functions.http import json_response, served
from voice_core.functions.incoming import Incoming
from voice_core.functions.schemas import CheckAnswer, HealthAnswer, HealthQuery, parsed
from voice_core.ports import Checkable

blueprint = func.Blueprint()

CHECK_SECONDS = 5.0


@blueprint.route("voice/health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@served
async def get_health(incoming: Incoming) -> Response:
    """Alive; with ``deep=1`` also which dependency is not, with ``warm=1`` ready for a quick first turn."""
    query = parsed(HealthQuery, dict(incoming.query))
    app = wiring.app()
    if query.warm:
        await app.warm()
    if not query.deep:
        return json_response(HealthAnswer(status="ok").document())
    await app.load()
    checked = await asyncio.gather(*(_check(dependency) for dependency in app.dependencies.values()))
    checks = dict(zip(app.dependencies, checked, strict=True))
    whole = all(check.ok for check in checks.values())
    answer = HealthAnswer(status="ok" if whole else "degraded", checks=checks)
    return json_response(answer.document(), status_code=200 if whole else 503)


async def _check(dependency: Checkable) -> CheckAnswer:
    began, detail = monotonic(), None
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await dependency.check()
    except VoiceError as error:
        detail = error.detail
    except TimeoutError:
        detail = f"It did not answer within {CHECK_SECONDS:g} s."
    return CheckAnswer(ok=detail is None, ms=round((monotonic() - began) * 1000), detail=detail)
