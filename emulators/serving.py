"""Run an aiohttp application on this machine only, with its script at ``/_emulator/``."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from emulators.script import Script, Step

LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
"""Names of this machine in a ``Host`` header. A page may let any other name point here (DNS rebinding)."""

SCRIPT = web.AppKey("script", Script)


def scripted(app: web.Application, script: Script | None = None) -> web.Application:
    """Add control routes: ``PUT /_emulator/script`` {operation: [step, …]}, ``DELETE`` it, ``GET /_emulator/log``."""
    app[SCRIPT] = script or Script()
    app.router.add_put("/_emulator/script", _put_script)
    app.router.add_delete("/_emulator/script", _delete_script)
    app.router.add_get("/_emulator/log", _get_log)
    return app


async def _put_script(request: web.Request) -> web.Response:
    try:
        for operation, steps in (await request.json()).items():
            request.app[SCRIPT].add(operation, *(Step.from_json(step) for step in steps))
    except (ValueError, TypeError, AttributeError) as error:
        return web.json_response({"error": str(error)}, status=400)
    return web.Response(status=204)


async def _delete_script(request: web.Request) -> web.Response:
    request.app[SCRIPT].clear()
    return web.Response(status=204)


async def _get_log(request: web.Request) -> web.Response:
    return web.json_response(request.app[SCRIPT].log())


@web.middleware
async def _under_local_names(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse a request that was sent to a name other than `LOCAL_NAMES`: 421."""
    if re.sub(r":\d+$", "", request.host.lower()) not in LOCAL_NAMES:
        return web.json_response({"error": "Use http://127.0.0.1: this emulator serves its own machine."}, status=421)
    return await handler(request)


@asynccontextmanager
async def serving(app: web.Application, port: int = 0) -> AsyncIterator[str]:
    """Serve *app* on 127.0.0.1 and yield its base URL; port 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """
    app.middlewares.insert(0, _under_local_names)
    # handler_cancellation: a caller that disconnects must stop the work at once, and tests check that.
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        host, bound = runner.addresses[0][:2]
        yield f"http://{host}:{bound}"
    finally:
        await runner.cleanup()
