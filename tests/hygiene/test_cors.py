"""CORS: pages of other origins are allowed by a setting only, as in Core Tools and Azure."""

from collections.abc import Mapping

import pytest

from local_host.cors import Cors
from local_host.functions import HostSettings, load_settings
from tests.conftest import ROOT, Product, function_host, served

HOME, ABROAD = "https://app.example.com", "https://evil.example.com"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,idempotency-key"}
ALLOW = "Access-Control-Allow-Origin"


Headers = Mapping[str, str]


async def respond(product: Product, origins: str, method: str, headers: Headers) -> tuple[int, Headers]:
    """The status and the headers of a response of a host that allows *origins*."""
    async with (
        served(Cors(function_host(), origins)) as url,
        product.http.request(method, f"{url}/api/voice/session", headers=headers, json={}) as response,
    ):
        return response.status, response.headers


async def test_an_allowed_origin_may_call(product: Product) -> None:
    """Its preflight allows the method and headers that it names, and its page may read the response."""
    status, headers = await respond(product, HOME, "OPTIONS", {"Origin": HOME, **PREFLIGHT})
    assert (status, headers[ALLOW]) == (204, HOME)
    assert headers["Access-Control-Allow-Methods"] == "POST"
    assert headers["Access-Control-Allow-Headers"] == "content-type,idempotency-key"

    status, headers = await respond(product, HOME, "POST", {"Origin": HOME})
    assert (status, headers[ALLOW]) == (200, HOME)
    assert "RateLimit" in headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("origins", ["", HOME, f"{HOME},https://other.example.com"])
async def test_another_origin_may_not_read(product: Product, origins: str) -> None:
    """An origin that is not allowed gets no CORS header; without the setting, no origin is allowed."""
    _, preflight = await respond(product, origins, "OPTIONS", {"Origin": ABROAD, **PREFLIGHT})
    _, actual = await respond(product, origins, "POST", {"Origin": ABROAD})

    assert not {ALLOW, "Access-Control-Allow-Methods", "Access-Control-Allow-Headers"} & {*preflight, *actual}


async def test_a_request_without_origin_gets_no_cors_headers(product: Product) -> None:
    """Apps and servers, which send no Origin, are served as without CORS."""
    status, headers = await respond(product, HOME, "POST", {})

    assert status == 200
    assert not [name for name in headers if name.lower().startswith("access-control-")]


async def test_one_origin_of_several_is_named(product: Product) -> None:
    """The response names the caller's origin alone, and `Vary` says that it depends on the origin."""
    _, headers = await respond(product, f"https://other.example.com, {HOME}", "POST", {"Origin": HOME})

    assert (headers[ALLOW], headers["Vary"]) == (HOME, "Origin")


async def test_credentials_are_another_setting(product: Product) -> None:
    """Cookies need a setting of their own, and are off by default."""
    async with (
        served(Cors(function_host(), HOME, credentials=True)) as url,
        product.http.post(f"{url}/api/voice/session", headers={"Origin": HOME}, json={}) as response,
    ):
        assert response.headers["Access-Control-Allow-Credentials"] == "true"
    _, headers = await respond(product, HOME, "POST", {"Origin": HOME})
    assert "Access-Control-Allow-Credentials" not in headers


async def test_an_options_request_that_is_no_preflight_reaches_the_app(product: Product) -> None:
    """The product itself answers WHIP's OPTIONS request with the types that may be posted."""
    status, headers = await respond(product, HOME, "OPTIONS", {"Origin": HOME})

    assert status == 204
    assert headers["Accept-Post"] == "application/sdp, application/json"


def test_no_origin_is_allowed_by_default() -> None:
    """The committed settings name no origin."""
    assert load_settings(ROOT) == HostSettings(port=7071, origins="", credentials=False)
