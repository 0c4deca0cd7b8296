"""The local host and the emulators serve their own machine, not a page whose name points to it."""

import aiohttp
import pytest
from httpx2 import ASGITransport, AsyncClient
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from emulators.openai import openai_app
from emulators.serving import serving
from local_host.functions import HostSettings, fronted

OURS = ["127.0.0.1", "127.0.0.1:7071", "localhost", "LOCALHOST:7071", "[::1]", "[::1]:7071"]
FOREIGN = [
    *("evil.example", "evil.example:7071", "127.0.0.1.evil.example", "localhost.evil.example:7071", "127.0.0.2"),
    *("localhost@evil.example", "0.0.0.0:80", "[::]", "::1", "127.0.0.1:evil", "", ":7071"),
]


def client(names: str = "") -> AsyncClient:
    """A client of an application behind what every request to the local host passes."""
    app = Starlette(routes=[Route("/", lambda _request: PlainTextResponse("hello"), methods=["GET", "POST"])])
    return AsyncClient(transport=ASGITransport(fronted(app, HostSettings(names=names))), base_url="http://127.0.0.1")


@pytest.mark.parametrize("name", OURS)
async def test_this_machine_s_names_are_served(name: str) -> None:
    """With and without a port, in any case."""
    async with client() as http:
        assert (await http.get("/", headers={"Host": name})).status_code == 200


@pytest.mark.parametrize("name", FOREIGN)
async def test_any_other_name_is_misdirected(name: str) -> None:
    """A page that lets its own name point here (DNS rebinding) gets 421, and nothing is done for it."""
    async with client() as http:
        for method in ("GET", "POST"):
            response = await http.request(method, "/", headers={"Host": name})
            assert response.status_code == 421
            assert response.headers["Content-Type"] == "application/problem+json"
            assert response.json()["code"] == "host-unknown"
            assert "LOCAL_HOST_NAMES" in response.json()["detail"]


async def test_a_setting_names_further_hosts() -> None:
    """LOCAL_HOST_NAMES lists them, separated by commas; all others stay refused."""
    async with client("laptop.lan, Tunnel.Example ") as http:
        for name in ("laptop.lan:7071", "tunnel.example", "localhost"):
            assert (await http.get("/", headers={"Host": name})).status_code == 200
        assert (await http.get("/", headers={"Host": "other.lan"})).status_code == 421


async def test_the_name_before_a_front_counts_too() -> None:
    """Behind a front, ``Host`` is the product's own address, and the client's name is in ``X-Forwarded-Host``."""
    async with client() as http:
        for name, status in (("localhost:7071", 200), ("evil.example", 421)):
            assert (await http.get("/", headers={"X-Forwarded-Host": name})).status_code == status


async def test_two_host_headers_are_refused() -> None:
    """It is not said which of them counts."""
    async with client() as http:
        response = await http.get("/", headers=[("Host", "localhost"), ("Host", "evil.example")])
    assert response.status_code == 421


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example:80", "0.0.0.0:80"])
async def test_an_emulator_serves_its_own_machine(name: str) -> None:
    """Their scripts and logs are no page's, either."""
    async with serving(openai_app()) as url, aiohttp.ClientSession() as http:
        async with http.get(f"{url}/_emulator/log") as response:
            assert response.status == 200
        async with http.get(f"{url}/_emulator/log", headers={"Host": name}) as response:
            assert response.status == 421
