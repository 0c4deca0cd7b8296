"""The emulator as an aiohttp application.

Operations for a script: ``account``, ``database``, ``container``, ``pkranges``, ``read``, ``create``, ``upsert``,
``replace``, ``patch``, ``delete``, ``query``, ``batch``, ``feed``. Steps support ``connect_seconds``, ``hang``,
``status`` with ``headers`` and ``body``, ``body`` alone (instead of the right document), and ``drop_after``: 0 cuts the
connection before the operation, 1 performs and commits the operation and cuts the connection before the response.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

from aiohttp import web

from emulators.cosmos.auth import EMULATOR_KEY, LOCAL_KEY, Authorizer
from emulators.cosmos.refusals import Refusal, error_document
from emulators.cosmos.requests import Request
from emulators.cosmos.service import Response, Service
from emulators.cosmos.store import open_store
from emulators.script import Script, ServedRequest, Step
from emulators.serving import SCRIPT, scripted

MAX_REQUEST_BYTES = 8 * 1024 * 1024
"""More than the service accepts, so that the emulator returns the service's own 413."""

SERVICE = web.AppKey("service", Service)


def cosmos_app(
    path: Path | None,
    *,
    keys: Iterable[str] = (EMULATOR_KEY, LOCAL_KEY),
    tokens: bool = False,
    clock: Callable[[], float] = time.time,
    script: Script | None = None,
) -> web.Application:
    """A Cosmos DB account for NoSQL, stored in the SQLite file *path*, or in memory if None.

    Args:
        keys: base64 account keys to accept.
        tokens: also accept any Entra token, unchecked; otherwise tokens get 401.
        clock: seconds since 1970, for ``_ts`` and expiry.
    """

    async def open_service(app: web.Application) -> AsyncIterator[None]:
        connection = open_store(path)
        app[SERVICE] = Service(connection, Authorizer(keys, tokens=tokens), clock)
        yield
        connection.close()

    app = scripted(web.Application(client_max_size=MAX_REQUEST_BYTES), script)
    app.cleanup_ctx.append(open_service)
    app.router.add_route("*", "/{path:.*}", _serve)
    return app


async def _serve(request: web.Request) -> web.Response:
    segments = [segment for segment in request.path.split("/") if segment]
    cosmos_request = Request(request.method, segments, request.headers, await request.read(), request.host)
    with request.app[SCRIPT].serving(cosmos_request.operation) as served:
        served.facts = {
            "link": "/".join(segments),
            "partition": cosmos_request.headers.get("x-ms-documentdb-partitionkey"),
        }
        served.trace = cosmos_request.headers.get("traceparent", "")
        return await _stepped(request, cosmos_request, request.app[SCRIPT].next(cosmos_request.operation), served)


async def _stepped(request: web.Request, cosmos_request: Request, step: Step, served: ServedRequest) -> web.Response:
    if step.connect_seconds:
        await asyncio.sleep(step.connect_seconds)
    if step.hang:
        served.outcome = "hung"
        await asyncio.Event().wait()
    if step.drop_after == 0:
        return _dropped(request, served)
    if step.status is not None:
        served.outcome = f"status-{step.status}"
        body = error_document(step.status, "As scripted.") if step.body is None else None
        return _response(request, Response(step.status, body, dict(step.headers)), step.body)
    response = _handled(request, cosmos_request, served)
    return _dropped(request, served) if step.drop_after else _response(request, response, step.body)


def _handled(request: web.Request, cosmos_request: Request, served: ServedRequest) -> Response:
    try:
        return request.app[SERVICE].handle(cosmos_request)
    except Refusal as refusal:
        served.outcome = f"status-{refusal.status}"
        headers = {} if refusal.substatus is None else {"x-ms-substatus": str(refusal.substatus)}
        return Response(refusal.status, error_document(refusal.status, refusal.message), headers)


def _dropped(request: web.Request, served: ServedRequest) -> web.Response:
    served.outcome = "dropped"
    if request.transport:
        request.transport.abort()
    return web.Response()


def _response(request: web.Request, response: Response, text: str | None = None) -> web.Response:
    headers = {
        "x-ms-request-charge": "1",
        "x-ms-activity-id": request.headers.get("x-ms-activity-id", ""),
        "x-ms-session-token": request.app[SERVICE].session_token(),
        **response.headers,
    }
    if text is not None:
        return web.Response(status=response.status, headers=headers, text=text, content_type="application/json")
    if response.body is None or response.status in (204, 304):
        return web.Response(status=response.status, headers=headers)
    return web.json_response(response.body, status=response.status, headers=headers)
