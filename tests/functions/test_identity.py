"""Authentication over HTTP."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft202012Validator
from starlette.routing import Route

from emulators.script import Step
from fakes.eventually import HANG_SECONDS
from tests.adapters.test_easy_auth import ANNA
from tests.conftest import Product, Services, function_host
from tests.issuers import Issuer, signer
from voice_core.functions.openapi.document import contract

PREFIX = "/api/voice"


@pytest.fixture
async def services(services: Services, issuer: Issuer, request: pytest.FixtureRequest) -> Services:
    """The services with a trusted issuer of tokens, unless a test chooses another mode."""
    return replace(services, settings=replace(services.settings, **issuer.settings | getattr(request, "param", {})))


def mode(**settings: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("services", [settings], indirect=True, ids=[settings["auth_mode"]])


def operations() -> Iterator[tuple[str, str]]:
    """Method and path of every route that the host serves under our prefix."""
    for route in function_host().routes:
        if isinstance(route, Route) and route.path.startswith(PREFIX):
            yield from ((method, route.path.removeprefix(PREFIX)) for method in sorted(route.methods or ()))


def described(method: str, path: str) -> dict[str, Any]:
    """The operation's description in the contract; HEAD has that of GET, and /openapi.json is open."""
    if path == "/openapi.json":
        return {"security": []}
    known: dict[str, Any] = contract()["paths"][path]["get" if method == "HEAD" else method.lower()]
    return known


def is_open(operation: dict[str, Any]) -> bool:
    """Whether the contract requires no authentication for it."""
    return operation.get("security") == []


def url_of(product: Product, path: str) -> str:
    return f"{product.url}{path.replace('{', '').replace('}', '')}"


async def test_all_but_the_open_paths_require_authentication(product: Product) -> None:
    """Without a token every other path is 401 with a challenge and a problem document, as the contract states."""
    for method, path in operations():
        operation = described(method, path)
        async with product.http.request(method, url_of(product, path)) as response:
            if is_open(operation):
                assert response.status < 400, path
                continue
            assert (response.status, response.headers["WWW-Authenticate"]) == (401, "Bearer"), (method, path)
            assert response.content_type == "application/problem+json"
            assert response.headers["X-Request-Id"]
            assert method == "HEAD" or (await response.json())["code"] == "unauthenticated"
            assert "401" in operation["responses"], path
    assert not product.services.cosmos.served
    assert not product.services.paid()


def test_the_open_paths_are_few() -> None:
    """A path is closed by default; one that is opened must be added to this list."""
    assert {(method, path) for method, path in operations() if is_open(described(method, path))} == {
        ("GET", "/health"),
        ("HEAD", "/health"),
        ("GET", "/openapi.json"),
        ("HEAD", "/openapi.json"),
        ("OPTIONS", "/session"),
    }


async def test_a_token_lets_its_user_in(product: Product, issuer: Issuer) -> None:
    """A user with a token is served, and their conversation is listed for them alone."""
    async with product.post("/process", json={"text": "hi"}, headers=issuer.headers("anna")) as response:
        assert response.status == 200
        conversation = (await response.json())["conversationId"]
    for user, found in (("anna", [conversation]), ("bob", [])):
        async with product.get("/conversations", headers=issuer.headers(user)) as response:
            listed = (await response.json())["conversations"]
        assert [one["conversationId"] for one in listed] == found


async def test_a_token_is_refused_as_rfc_6750_defines(product: Product, issuer: Issuer) -> None:
    """The problem document conforms to the contract and does not state why the token is invalid."""
    async with product.get("/conversations", headers=issuer.headers(exp=1)) as response:
        problem = await response.json()
    schemas = contract()["components"]

    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert (problem["status"], problem["code"], problem["retryable"]) == (401, "token-invalid", False)
    assert "expire" not in problem["detail"]
    Draft202012Validator({"$ref": "#/components/schemas/Problem", "components": schemas}).validate(problem)


async def test_every_refusal_of_a_token_reads_the_same(product: Product, issuer: Issuer) -> None:
    """Expired, foreign and forged tokens get the same response, so an attacker learns nothing from it."""
    stranger = issuer.headers(by=signer(name="stranger"))
    answers = []
    for headers in (issuer.headers(exp=1), issuer.headers(aud="another"), issuer.headers(iss="x"), stranger):
        async with product.get("/conversations", headers=headers) as response:
            answers.append({**await response.json(), "requestId": ""})

    assert [answer == answers[0] for answer in answers] == [True] * 4


async def test_the_log_names_the_failed_check_without_the_token(
    product: Product, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    """An operator sees which check failed; neither claims nor signature are logged."""
    headers = issuer.headers("anna", exp=1)
    with caplog.at_level(logging.DEBUG):
        async with product.get("/conversations", headers=headers) as response:
            body = await response.text()
    (line,) = [line for line in caplog.messages if line.startswith("unauthenticated")]
    logged = "\n".join([*caplog.messages, *(str(vars(record)) for record in caplog.records)])

    assert "cause=ExpiredSignatureError" in line
    for part in headers["Authorization"].removeprefix("Bearer ").split("."):
        assert part not in logged
        assert part not in body


@pytest.mark.direct
async def test_an_unknown_caller_s_body_is_not_read(product: Product) -> None:
    """A caller without a token is refused by the request's head, however large a body it announces."""
    url = urlsplit(product.url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    head = f"POST {url.path}/process HTTP/1.1\r\nHost: a\r\nContent-Type: audio/wav\r\nContent-Length: 1000000\r\n"
    writer.write(f"{head}Expect: 100-continue\r\n\r\n".encode())
    async with asyncio.timeout(HANG_SECONDS):
        assert (await reader.readline()).startswith(b"HTTP/1.1 401 ")
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("size", [20_000, 200_000])
async def test_a_huge_token_is_refused(product: Product, size: int) -> None:
    """It is refused by us or by the server before us, and is not an internal error."""
    url = urlsplit(product.url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(f"GET {url.path}/voices HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {'A' * size}\r\n\r\n".encode())
    async with asyncio.timeout(HANG_SECONDS):
        assert (await reader.readline()).split()[1] in (b"400", b"401", b"431")
    writer.close()
    await writer.wait_closed()


async def test_two_authorization_headers_are_refused(product: Product, issuer: Issuer) -> None:
    """They are refused, although each alone would be accepted."""
    url, token = urlsplit(product.url), issuer.token()
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    twice = f"Authorization: Bearer {token}\r\n" * 2
    writer.write(f"GET {url.path}/voices HTTP/1.1\r\nHost: a\r\n{twice}\r\n".encode())
    async with asyncio.timeout(HANG_SECONDS):
        assert (await reader.readline()).split()[1] == b"401"
    writer.close()
    await writer.wait_closed()


async def test_an_unavailable_issuer_is_503(product: Product, issuer: Issuer) -> None:
    """Its tokens can be neither accepted nor rejected: 503 with Retry-After, and the health check names identity."""
    issuer.script.add("configuration", Step(status=500, repeat=True))
    async with product.get("/voices", headers=issuer.headers()) as response:
        problem = await response.json()
        assert response.status == 503
        assert 1 <= int(response.headers["Retry-After"]) <= 10
    async with product.get("/health?deep=1") as response:
        checks = (await response.json())["checks"]

    assert (problem["code"], problem["stage"], problem["retryable"]) == ("stage-unreachable", "identity", True)
    assert not checks["identity"]["ok"]


async def test_platform_headers_are_ignored_in_token_mode(product: Product, issuer: Issuer) -> None:
    """Any caller can send the platform's headers, so they identify no one where tokens do."""
    forged = {"X-MS-CLIENT-PRINCIPAL": ANNA, "X-MS-CLIENT-PRINCIPAL-ID": "anna"}
    async with product.get("/voices", headers=forged) as response:
        assert response.status == 401
    async with product.get("/voices", headers=forged | issuer.headers()) as response:
        assert response.status == 200


@mode(auth_mode="easyauth", website_site_name="func-voice")
async def test_the_platform_s_header_identifies_the_caller(product: Product, issuer: Issuer) -> None:
    """In Easy Auth mode the header names the caller; a token alone does not, and one in addition is ignored."""
    for headers in ({}, issuer.headers()):
        async with product.get("/voices", headers=headers) as response:
            assert response.status == 401
        async with product.get("/voices", headers=headers | {"X-MS-CLIENT-PRINCIPAL": ANNA}) as response:
            assert response.status == 200


@mode(auth_mode="easyauth", website_site_name="func-voice")
@pytest.mark.parametrize("split", [False, True], ids=["in one packet", "in two packets"])
async def test_a_principal_in_a_trailer_is_no_header(product: Product, split: bool) -> None:
    """The platform removes the header from requests, and may overlook the same name after a chunked body."""
    address = urlsplit(product.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    document = b'{"text": "hi", "speech": "none"}'
    head = (
        f"POST {address.path}/process HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    body = b"%x\r\n%b\r\n0\r\n" % (len(document), document)
    trailer = f"X-MS-CLIENT-PRINCIPAL: {ANNA}\r\n\r\n".encode()
    writer.write(head.encode() + (b"" if split else body + trailer))
    if split:
        await writer.drain()
        writer.write(body + trailer)
    response = await asyncio.wait_for(reader.read(), HANG_SECONDS)
    writer.close()

    assert response.startswith(b"HTTP/1.1 401 ")


@mode(auth_mode="easyauth", website_site_name="func-voice")
async def test_a_malformed_principal_is_no_caller(product: Product) -> None:
    """It is 401, as if the header were absent."""
    async with product.get("/voices", headers={"X-MS-CLIENT-PRINCIPAL": "eyJ"}) as response:
        assert (response.status, (await response.json())["code"]) == (401, "unauthenticated")


@mode(auth_mode="none")
async def test_a_local_run_has_a_single_user(product: Product, issuer: Issuer) -> None:
    """Every caller is that user, whatever token or header the request has."""
    async with product.post("/process", json={"text": "hi"}, headers=issuer.headers("anna")) as response:
        conversation = (await response.json())["conversationId"]
    async with product.get("/conversations", headers={"X-MS-CLIENT-PRINCIPAL": ANNA}) as response:
        assert [one["conversationId"] for one in (await response.json())["conversations"]] == [conversation]
    assert not issuer.script.served


@mode(auth_mode="none", website_instance_id="0123")
async def test_settings_of_a_local_run_serve_no_one_in_azure(product: Product) -> None:
    """Every voice request reports that an operator must fix it; there is no Retry-After, as a retry would not help."""
    for method, path in operations():
        if not is_open(described(method, path)):
            async with product.http.request(method, url_of(product, path)) as response:
                assert (response.status, response.headers.get("Retry-After")) == (503, None), (method, path)
                assert method == "HEAD" or (await response.json())["code"] == "identity-misconfigured"


@mode(auth_mode="none", website_instance_id="0123")
async def test_health_reports_that_no_caller_is_served(product: Product) -> None:
    """/health reports it also without ``deep=1``."""
    async with product.get("/health") as response:
        answer = await response.json()

    assert (response.status, answer["status"]) == (503, "degraded")
    assert "AUTH_MODE" in answer["checks"]["identity"]["detail"]
