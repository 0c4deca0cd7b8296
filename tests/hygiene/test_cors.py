"""Pages of other origins: let in by setting only, as Core Tools and Azure do it."""

from collections.abc import Mapping

import pytest

from emulators.cors import Cors
from emulators.functions import HostSettings, load_settings
from tests.conftest import ROOT, Product, function_host, served

HOME, ABROAD = "https://app.example.com", "https://evil.example.com"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,idempotency-key"}
ALLOW = "Access-Control-Allow-Origin"


Headers = Mapping[str, str]


async def asked(product: Product, origins: str, method: str, headers: Headers) -> tuple[int, Headers]:
    """The status and the headers of an answer of a host that lets *origins* in."""
    async with (
        served(Cors(function_host(), origins)) as url,
        product.http.request(method, f"{url}/api/voice/session", headers=headers, json={}) as response,
    ):
        return response.status, response.headers


async def test_a_page_that_is_named_may_call(product: Product) -> None:
    """Its preflight passes with whatever it asks for, and its request is answered so that it can be read."""
    status, told = await asked(product, HOME, "OPTIONS", {"Origin": HOME, **PREFLIGHT})
    assert (status, told[ALLOW]) == (204, HOME)
    assert told["Access-Control-Allow-Methods"] == "POST"
    assert told["Access-Control-Allow-Headers"] == "content-type,idempotency-key"

    status, told = await asked(product, HOME, "POST", {"Origin": HOME})
    assert (status, told[ALLOW]) == (200, HOME)
    assert "RateLimit" in told["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("origins", ["", HOME, f"{HOME},https://other.example.com"])
async def test_another_page_may_not_read(product: Product, origins: str) -> None:
    """Whoever is not named is told nothing that a browser would let it through for; without the setting that is all."""
    _, preflight = await asked(product, origins, "OPTIONS", {"Origin": ABROAD, **PREFLIGHT})
    _, actual = await asked(product, origins, "POST", {"Origin": ABROAD})

    assert not {ALLOW, "Access-Control-Allow-Methods", "Access-Control-Allow-Headers"} & {*preflight, *actual}


async def test_who_has_no_origin_is_no_page(product: Product) -> None:
    """Apps and servers are answered as ever."""
    status, told = await asked(product, HOME, "POST", {})

    assert status == 200
    assert not [name for name in told if name.lower().startswith("access-control-")]


async def test_one_origin_of_several_is_named(product: Product) -> None:
    """Each is told itself, and caches that answers differ."""
    _, told = await asked(product, f"https://other.example.com, {HOME}", "POST", {"Origin": HOME})

    assert (told[ALLOW], told["Vary"]) == (HOME, "Origin")


async def test_credentials_are_another_setting(product: Product) -> None:
    """Cookies are asked for by name, and off unless they are."""
    async with (
        served(Cors(function_host(), HOME, credentials=True)) as url,
        product.http.post(f"{url}/api/voice/session", headers={"Origin": HOME}, json={}) as response,
    ):
        assert response.headers["Access-Control-Allow-Credentials"] == "true"
    _, told = await asked(product, HOME, "POST", {"Origin": HOME})
    assert "Access-Control-Allow-Credentials" not in told


async def test_an_options_request_that_is_no_preflight_reaches_the_app(product: Product) -> None:
    """WHIP's question what may be posted is answered by the product."""
    status, told = await asked(product, HOME, "OPTIONS", {"Origin": HOME})

    assert status == 204
    assert told["Accept-Post"] == "application/sdp, application/json"


def test_nobody_is_let_in_as_it_comes() -> None:
    """The settings that are committed name no origin."""
    assert load_settings(ROOT) == HostSettings(port=7071, origins="", credentials=False)
