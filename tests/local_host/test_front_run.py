"""``FRONT=1 make run``: the product, its page and its emulators behind the front of the Functions host."""

import aiohttp

from tests.functions.turns import recording, sse, types
from tests.hygiene.server_process import UNLIMITED, running_product


async def test_the_product_is_served_behind_the_front() -> None:
    """The page and turns are served, long URLs are refused by the front, and foreign names by the product."""
    async with running_product(UNLIMITED, "--front") as base, aiohttp.ClientSession() as http:
        async with http.get(base.removesuffix("/api/voice")) as page:
            assert (page.status, page.content_type) == (200, "text/html")
        events = {"Accept": "text/event-stream"}
        async with http.post(f"{base}/process", data=recording(), headers=events) as response:
            assert types(await sse(response))[-1] == "turn.done"
        async with http.get(f"{base}/health?{'a' * 9000}") as response:
            assert (response.status, await response.read()) == (414, b"")
        async with http.get(f"{base}/health", headers={"Host": "evil.example"}) as response:
            assert (response.status, (await response.json(content_type=None))["code"]) == (421, "host-unknown")
