"""Serves a function app as ``func start`` would, for machines without Core Tools.

It supports HTTP triggers: routes with ``{parameters}`` behind the prefix of host.json, methods, auth levels (ignored
unless a key is given, as in Core Tools), and streamed request and response bodies. A handler gets Starlette's request
and returns Starlette's response, as in the Functions worker with the FastAPI extension. `blob_trigger` calls the blob
triggers. It also serves the page of clients/web at ``/``.
"""

import argparse
import asyncio
import hmac
import importlib.util
import json
import logging
import os
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import azure.functions as func
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from emulators.azurite import BLOB_PORT, DEVELOPMENT, QUEUE_PORT, Storage
from local_host.blob_trigger import BlobTriggers
from local_host.complete_bodies import CompleteBodies
from local_host.cors import Cors
from local_host.descriptors import OutOfDescriptors
from local_host.host_names import HostNames
from local_host.page import page_routes

Handler = Callable[[Request], Awaitable[Response]]

ANY_METHOD = ("DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT")
"""Methods of a trigger that names none."""


@dataclass(frozen=True, slots=True)
class HostSettings:
    """The Host section of local.settings.json."""

    port: int = 7071
    origins: str = ""
    """Origins whose pages may call, separated by commas."""
    credentials: bool = False
    names: str = ""
    """Names under which it may be reached in addition to this machine's, separated by commas."""


def load_settings(folder: Path) -> HostSettings:
    """Add the Values of local.settings.json to the environment, overriding nothing, and return its Host section."""
    document = json.loads((folder / "local.settings.json").read_text())
    for name, value in document.get("Values", {}).items():
        os.environ.setdefault(name, str(value))
    host_section = document.get("Host", {})
    return HostSettings(
        int(host_section.get("LocalHttpPort", 7071)),
        host_section.get("CORS", ""),
        host_section.get("CORSCredentials", False),
        os.environ.get("LOCAL_HOST_NAMES", ""),
    )


def load_app(folder: Path) -> func.FunctionApp:
    """The FunctionApp of *folder*/function_app.py."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    spec = importlib.util.spec_from_file_location("function_app", folder / "function_app.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(folder / "function_app.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return next(value for value in vars(module).values() if isinstance(value, func.FunctionApp))


def host(app: func.FunctionApp, folder: Path, key: str | None = None) -> Starlette:
    """*app* as an ASGI application; with a *key*, functions above the anonymous level require it."""
    prefix = (
        json.loads((folder / "host.json").read_text()).get("extensions", {}).get("http", {}).get("routePrefix", "api")
    )
    paths: defaultdict[str, dict[str, Handler]] = defaultdict(dict)
    functions = app.get_functions()
    for function in functions:
        if trigger := _trigger(function):
            path = "/".join(part for part in ("", prefix, trigger.get("route") or function.get_function_name()) if part)
            handler = _guarded(function.get_user_function(), key if _asks_for_key(trigger) else None)
            paths[path] |= dict.fromkeys(trigger.get("methods") or ANY_METHOD, handler)
    # One route for each path, so that a 405 lists all methods of the path.
    routes = [Route(f"/{path}", _by_method(handlers), methods=list(handlers)) for path, handlers in paths.items()]
    page = page_routes(folder / "clients" / "web")
    served = Starlette(routes=[*routes, *page], exception_handlers={HTTPException: _refuse})
    # A function app can be indexed only once, and the other triggers need its functions too.
    served.state.functions = functions
    return served


def _trigger(function: Any) -> dict[str, Any] | None:
    """The function's HTTP trigger binding, if it has one."""
    bindings: list[dict[str, Any]] = json.loads(str(function))["bindings"]
    return next((binding for binding in bindings if binding["type"] == "httpTrigger"), None)


def _asks_for_key(trigger: dict[str, Any]) -> bool:
    return str(trigger.get("authLevel", "")).lower() not in ("anonymous", "")


def _guarded(handler: Handler, key: str | None) -> Handler:
    """*handler*, refusing requests without the *key* with 401."""

    async def guard(request: Request) -> Response:
        if key is not None and not _holds(request, key):
            return Response(status_code=401)
        return await handler(request)

    return guard


def _by_method(handlers: Mapping[str, Handler]) -> Handler:
    """The endpoint of a path: it calls the handler of the request's method, for HEAD the one of GET."""

    async def endpoint(request: Request) -> Response:
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return endpoint


def _holds(request: Request, key: str) -> bool:
    given = request.headers.get("x-functions-key") or request.query_params.get("code") or ""
    return hmac.compare_digest(given.encode(), key.encode())


async def _refuse(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    document = {
        "type": "about:blank",
        "title": error.detail if isinstance(error, HTTPException) else "Error",
        "status": status,
        "detail": "Paths and methods are listed at /api/voice/openapi.json.",
        "code": "method-not-allowed" if status == 405 else "path-unknown",
        "retryable": False,
    }
    return JSONResponse(document, status, headers, "application/problem+json")


def main() -> None:
    """Serve the function app of a folder until the process is stopped."""
    arguments = argparse.ArgumentParser(prog="python -m local_host.functions", description=__doc__)
    arguments.add_argument("--folder", type=Path, default=Path.cwd(), help="where function_app.py is")
    arguments.add_argument("--port", type=int, help="instead of the one in local.settings.json")
    arguments.add_argument("--key", help="require this key where a function's auth level requires one")
    options = arguments.parse_args()
    settings = load_settings(options.folder)
    app = host(load_app(options.folder), options.folder, options.key)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for noisy in ("azure", "httpx2", "httpx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    asyncio.run(_serve(app, settings, options.port or settings.port))


def fronted(app: ASGIApp, settings: HostSettings) -> ASGIApp:
    """*app* behind the middleware that every request passes."""
    return HostNames(CompleteBodies(Cors(app, settings.origins, credentials=settings.credentials)), settings.names)


async def _serve(app: Starlette, settings: HostSettings, port: int) -> None:
    # As in the worker: one process, asyncio's own loop, no lifespan.
    asyncio.get_running_loop().set_exception_handler(OutOfDescriptors())
    server = uvicorn.Server(uvicorn.Config(fronted(app, settings), port=port, lifespan="off", log_level="warning"))
    triggers = BlobTriggers(app.state.functions, storage_connection(os.environ))
    app.routes.insert(0, Route("/runtime/webhooks/blobs", triggers.webhook, methods=["POST"]))
    async with triggers.running():
        await server.serve()


def storage_connection(environ: Mapping[str, str]) -> str:
    """The connection string of the host's own storage."""
    connection = environ.get("AzureWebJobsStorage", DEVELOPMENT)
    return Storage(BLOB_PORT, QUEUE_PORT).connection() if connection == DEVELOPMENT else connection


if __name__ == "__main__":
    main()
