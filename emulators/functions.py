"""Serves a function app as ``func start`` would, for machines without Core Tools.

It knows HTTP triggers only: routes with ``{parameters}`` behind the prefix of host.json, methods, auth levels (ignored
unless a key is given, as Core Tools does), bodies and answers streamed both ways. A handler gets Starlette's request
and returns Starlette's response, as in the Functions worker with the FastAPI extension.
"""

import argparse
import hmac
import importlib.util
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import azure.functions as func
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Handler = Callable[[Request], Awaitable[Response]]


def load_settings(folder: Path) -> int:
    """Put the Values of local.settings.json into the environment, where they do not override; give its port."""
    document = json.loads((folder / "local.settings.json").read_text())
    for name, value in document.get("Values", {}).items():
        os.environ.setdefault(name, str(value))
    return int(document.get("Host", {}).get("LocalHttpPort", 7071))


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
    """*app* as an ASGI application; with a *key*, functions above the anonymous level ask for it."""
    prefix = (
        json.loads((folder / "host.json").read_text()).get("extensions", {}).get("http", {}).get("routePrefix", "api")
    )
    routes = [_route(function, prefix, key) for function in app.get_functions() if _trigger(function) is not None]
    return Starlette(routes=routes, exception_handlers={HTTPException: _refuse})


def _trigger(function: Any) -> dict[str, Any] | None:
    """The HTTP trigger's binding, if the function has one."""
    bindings: list[dict[str, Any]] = json.loads(str(function))["bindings"]
    return next((binding for binding in bindings if binding["type"] == "httpTrigger"), None)


def _route(function: Any, prefix: str, key: str | None) -> Route:
    trigger = _trigger(function) or {}
    handler: Handler = function.get_user_function()
    guarded = key if str(trigger.get("authLevel", "")).lower() not in ("anonymous", "") else None

    async def endpoint(request: Request) -> Response:
        if guarded is not None and not _holds(request, guarded):
            return Response(status_code=401)
        return await handler(request)

    path = "/".join(part for part in ("", prefix, trigger.get("route") or function.get_function_name()) if part)
    return Route(f"/{path}", endpoint, methods=trigger.get("methods") or None, name=function.get_function_name())


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
    """Serve the function app of a folder until it is stopped."""
    arguments = argparse.ArgumentParser(prog="python -m emulators.functions", description=__doc__)
    arguments.add_argument("--folder", type=Path, default=Path.cwd(), help="where function_app.py is")
    arguments.add_argument("--port", type=int, help="instead of the one in local.settings.json")
    arguments.add_argument("--key", help="ask for this key where a function's auth level does")
    options = arguments.parse_args()
    port = load_settings(options.folder)
    app = host(load_app(options.folder), options.folder, options.key)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for noisy in ("azure", "httpx2", "httpx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # As in the worker: one process, asyncio's own loop, no lifespan.
    uvicorn.run(app, host="127.0.0.1", port=options.port or port, loop="asyncio", lifespan="off", log_level="warning")


if __name__ == "__main__":
    main()
