"""One worker with a rate limiter, in a separate process: ``GET /admit?user=NAME``; its environment names the store."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar

from aiohttp import web

from emulators.serving import serving
from voice_core.adapters.cosmos import CosmosUsage, Database
from voice_core.domain.errors import LimitReached, Unreachable
from voice_core.domain.limits import DailyQuota, Rate
from voice_core.usecases.limits.rate_limiter import LimitRules, RateLimiter

_requested_at: ContextVar[float] = ContextVar("requested_at")
"""Time of the request in seconds since 1970, to the millisecond: the same moment for the limiter and the response."""

DEADLINE_SECONDS = 20.0
"""Longer than in production, because this machine is busier than any in production."""


async def main(limit: int, window_seconds: int) -> None:
    voice = Database(os.environ["COSMOS_ENDPOINT"], os.environ["COSMOS_KEY"], "voice", create=True)
    store = CosmosUsage(voice, deadline_seconds=DEADLINE_SECONDS)
    await store.check()
    rates = LimitRules({"turns": Rate("turns", limit, window_seconds)}, DailyQuota(1), "closed")
    app = web.Application()
    app.router.add_get("/admit", _admit(RateLimiter(store, rates, _requested_at.get)))
    async with serving(app) as url:
        print(json.dumps({"url": url}), flush=True)
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await stop.wait()
    await store.close()


def _admit(rate_limiter: RateLimiter) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def admit(request: web.Request) -> web.Response:
        """The time of the request in milliseconds since 1970, and the seconds to wait, if any."""
        requested_at, wait, failed = round(time.time() * 1000), 0.0, False
        _requested_at.set(requested_at / 1000)
        try:
            (await rate_limiter.admit(request.query["user"], "turns", hears=False)).check()
        except LimitReached as refused:
            wait = refused.retry_after or 0.0
        except Unreachable:
            failed = True
        return web.json_response(
            {"at": requested_at, "ms": time.time() * 1000 - requested_at, "wait": wait, "failed": failed}
        )

    return admit


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
