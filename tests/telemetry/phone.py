"""A client that records its requests and times, which queries over the product's telemetry must reproduce."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp

from emulators.script import Step
from fakes.webrtc import Caller
from tests.conftest import Product
from tests.functions.calls import call, offer
from tests.functions.turns import recording
from tests.issuers import Issuer

WAV = {"Content-Type": "audio/wav"}


def timings(header: str) -> dict[str, float]:
    """Milliseconds by stage, from a Server-Timing header."""
    entries = (entry.split(";dur=") for entry in header.split(", "))
    return {name: float(ms) for name, ms in entries}


@dataclass
class Phone:
    product: Product
    issuer: Issuer
    requests: list[dict[str, Any]] = field(default_factory=list)
    """Requests as the Functions host would record them: rows of AppRequests."""
    spoken: list[dict[str, float]] = field(default_factory=list)
    """Server-Timing of each spoken turn that succeeded."""
    typed: list[dict[str, float]] = field(default_factory=list)
    """Server-Timing of each typed turn that succeeded."""

    async def say(self, user: str, seconds: float = 1.0) -> int:
        status, stages = await self._post("process", user, data=recording(seconds), headers=WAV)
        self.spoken += [stages] if stages else []
        return status

    async def type(self, user: str, speech: str = "none") -> int:
        status, stages = await self._post("process", user, json={"text": "hello", "speech": speech})
        self.typed += [stages] if stages else []
        return status

    async def read_aloud(self, user: str) -> int:
        return (await self._post("speak", user, json={"text": "Hello."}))[0]

    async def call(self, user: str) -> None:
        """Open a session, and disconnect."""
        async with self._signed_in(user) as product, call(product, Caller()):
            pass

    async def ring(self, user: str) -> None:
        """Open a session, and never connect."""
        caller = Caller()
        body = {"offer": await offer(caller)}
        async with self._signed_in(user) as product, product.post("/session", json=body) as response:
            assert response.status == 201
        await caller.close()

    async def _post(self, path: str, user: str, **sent: Any) -> tuple[int, dict[str, float]]:
        began = asyncio.get_running_loop().time()
        sent["headers"] = sent.get("headers", {}) | self.issuer.headers(user)
        async with self.product.post(f"/{path}", **sent) as response:
            await response.read()
            took = (asyncio.get_running_loop().time() - began) * 1000
            request = {"Name": f"post_{path}", "ResultCode": str(response.status), "DurationMs": took}
            self.requests.append(request | {"Success": response.ok})
            header = response.headers.get("Server-Timing")
            return response.status, timings(header) if header else {}

    def _signed_in(self, user: str) -> "_SignedIn":
        return _SignedIn(self.product, self.issuer.headers(user))


@dataclass
class _SignedIn:
    """The product, called with the *headers* of a user."""

    product: Product
    headers: dict[str, str]

    async def __aenter__(self) -> Product:
        self._http = aiohttp.ClientSession(headers=self.headers)
        return replace(self.product, http=self._http)

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()


def fail(product: Product, status: int) -> None:
    """Have the assistant answer every request with an error from now on."""
    product.services.openai.clear()
    product.services.openai.add("chat", Step(status=status, repeat=True))
