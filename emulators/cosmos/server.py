"""The emulator as an aiohttp application.

Operations for a script: ``account``, ``database``, ``container``, ``pkranges``, ``read``, ``create``, ``upsert``,
``replace``, ``patch``, ``delete``, ``query``, ``batch``, ``feed``. Of a step it heeds ``connect_seconds``, ``hang``,
``status`` with ``headers`` and ``body``, ``body`` alone (instead of the right document), and ``drop_after``: 0 cuts the
connection before anything is done, 1 does and commits what was asked and cuts it instead of answering.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

from aiohttp import web

from emulators.cosmos.auth import EMULATOR_KEY, LOCAL_KEY, Door
from emulators.cosmos.refusals import Refusal, error_document
from emulators.cosmos.requests import Request
from emulators.cosmos.service import Answer, Service
from emulators.cosmos.store import open_store
from emulators.script import Script, Served, Step
from emulators.serving import SCRIPT, scripted

MAX_REQUEST_BYTES = 8 * 1024 * 1024
"""More than the service takes, so that it can say 413 itself."""

SERVICE = web.AppKey("service", Service)


def cosmos_app(
    path: Path | None,
    *,
    keys: Iterable[str] = (EMULATOR_KEY, LOCAL_KEY),
    tokens: bool = False,
    clock: Callable[[], float] = time.time,
    script: Script | None = None,
) -> web.Application:
    """A Cosmos DB account for NoSQL, kept in the SQLite file *path*, or in memory if None.

    Args:
        keys: base64 account keys to accept.
        tokens: also accept any Entra token, unread; without it they get 401.
        clock: seconds since 1970, for ``_ts`` and expiry.
    """

    async def open_service(app: web.Application) -> AsyncIterator[None]:
        connection = open_store(path)
        app[SERVICE] = Service(connection, Door(keys, tokens=tokens), clock)
        yield
        connection.close()

    app = scripted(web.Application(client_max_size=MAX_REQUEST_BYTES), script)
    app.cleanup_ctx.append(open_service)
    app.router.add_route("*", "/{path:.*}", _serve)
    return app


async def _serve(request: web.Request) -> web.Response:
    segments = [segment for segment in request.path.split("/") if segment]
    asked = Request(request.method, segments, request.headers, await request.read(), request.host)
    with request.app[SCRIPT].serving(asked.operation) as served:
        served.facts = {"link": "/".join(segments), "partition": asked.headers.get("x-ms-documentdb-partitionkey")}
        served.trace = asked.headers.get("traceparent", "")
        return await _stepped(request, asked, request.app[SCRIPT].next(asked.operation), served)


async def _stepped(request: web.Request, asked: Request, step: Step, served: Served) -> web.Response:
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
        return _response(request, Answer(step.status, body, dict(step.headers)), step.body)
    answer = _answered(request, asked, served)
    return _dropped(request, served) if step.drop_after else _response(request, answer, step.body)


def _answered(request: web.Request, asked: Request, served: Served) -> Answer:
    try:
        return request.app[SERVICE].answer(asked)
    except Refusal as refusal:
        served.outcome = f"status-{refusal.status}"
        headers = {} if refusal.substatus is None else {"x-ms-substatus": str(refusal.substatus)}
        return Answer(refusal.status, error_document(refusal.status, refusal.message), headers)


def _dropped(request: web.Request, served: Served) -> web.Response:
    served.outcome = "dropped"
    if request.transport:
        request.transport.abort()
    return web.Response()


def _response(request: web.Request, answer: Answer, text: str | None = None) -> web.Response:
    headers = {
        "x-ms-request-charge": "1",
        "x-ms-activity-id": request.headers.get("x-ms-activity-id", ""),
        "x-ms-session-token": request.app[SERVICE].session_token(),
        **answer.headers,
    }
    if text is not None:
        return web.Response(status=answer.status, headers=headers, text=text, content_type="application/json")
    if answer.body is None or answer.status in (204, 304):
        return web.Response(status=answer.status, headers=headers)
    return web.json_response(answer.body, status=answer.status, headers=headers)
