"""Tokens of the app's identity, from the real SDK against the endpoint App Service gives an app."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from time import time

import pytest
from aiohttp import web
from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ServiceRequestError

from emulators.serving import serving
from voice_core.adapters.entra import EntraTokens
from voice_core.domain.errors import Misconfigured, StageFailed, StageTimedOut

SCOPE = "https://cognitiveservices.azure.com/.default"
OTHER_SCOPE = "https://storage.azure.com/.default"


class IdentityEndpoint:
    """What ``IDENTITY_ENDPOINT`` of an App Service app answers, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.status = 200

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append({**request.query, "secret": request.headers.get("X-IDENTITY-HEADER", "")})
        if self.status != 200:
            return web.json_response({"statusCode": self.status, "message": "No."}, status=self.status)
        resource = request.query["resource"]
        token = f"token-{len(self.asked)}"
        expires_on = str(int(time()) + 86_400)
        return web.json_response({"access_token": token, "expires_on": expires_on, "resource": resource})


@pytest.fixture(name="endpoint")
async def _endpoint(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[IdentityEndpoint]:
    endpoint = IdentityEndpoint()
    app = web.Application()
    app.router.add_get("/msi/token", endpoint.answer)
    async with serving(app) as url:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header-secret")
        yield endpoint


async def test_an_identity_of_our_own_is_asked_for(endpoint: IdentityEndpoint) -> None:
    """The user-assigned identity is named, the scope becomes a resource, and each scope is asked for once."""
    entra = EntraTokens("client-1")
    assert [await entra.token(SCOPE), await entra.token(SCOPE)] == ["token-1", "token-1"]
    assert await entra.token(OTHER_SCOPE) == "token-2"
    await entra.close()
    assert [(asked["client_id"], asked["resource"], asked["secret"]) for asked in endpoint.asked] == [
        ("client-1", "https://cognitiveservices.azure.com", "header-secret"),
        ("client-1", "https://storage.azure.com", "header-secret"),
    ]


async def test_without_a_client_id_the_default_is_found(endpoint: IdentityEndpoint) -> None:
    """DefaultAzureCredential comes upon the same endpoint, as the system-assigned identity."""
    entra = EntraTokens()
    assert await entra.token(SCOPE) == "token-1"
    await entra.close()
    assert "client_id" not in endpoint.asked[0]


async def test_an_identity_that_is_refused_is_an_operators_matter(endpoint: IdentityEndpoint) -> None:
    """No identity, or not for this: somebody has to set that right."""
    endpoint.status = 400
    entra = EntraTokens("client-1")
    with pytest.raises(Misconfigured) as raised:
        await entra.token(SCOPE)
    await entra.close()
    assert raised.value.__cause__ is not None
    assert "header-secret" not in raised.value.detail


async def test_azure_sdks_get_the_same_credential(endpoint: IdentityEndpoint) -> None:
    """There is one credential for all, and closing twice or unused is fine."""
    entra = EntraTokens("client-1")
    await entra.close()
    credential = entra.credential
    assert credential is entra.credential
    assert (await credential.get_token(SCOPE)).token == "token-1"
    await entra.close()
    await entra.close()


class Issuer(AsyncTokenCredential):
    """A credential whose tokens live as long as the test says; it fails or hangs when told to."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.lives_seconds = 3600.0
        self.error: Exception | None = None
        self.answering = asyncio.Event()
        self.answering.set()

    async def get_token(self, *scopes: str, **options: object) -> AccessToken:
        self.asked[scopes[0]] += 1
        await self.answering.wait()
        if self.error is not None:
            raise self.error
        return AccessToken(f"token-{self.asked[scopes[0]]}", int(time() + self.lives_seconds))

    async def close(self) -> None:
        self.answering.set()

    async def __aexit__(self, *reason: object) -> None:
        await self.close()


class IssuedTokens(EntraTokens):
    """Tokens of an issuer of the test's."""

    def __init__(self, seconds: float = 10.0) -> None:
        super().__init__(seconds=seconds)
        self.issuer = Issuer()
        self._credential = self.issuer


async def test_those_who_ask_together_share_one_request() -> None:
    """Fifty turns that begin at once make one request, and another scope does not wait for it."""
    entra = IssuedTokens()
    entra.issuer.answering.clear()
    asking = [asyncio.create_task(entra.token(SCOPE)) for _ in range(50)]
    other = asyncio.create_task(entra.token(OTHER_SCOPE))
    await asyncio.sleep(0)
    assert entra.issuer.asked == {SCOPE: 1, OTHER_SCOPE: 1}
    entra.issuer.answering.set()
    assert set(await asyncio.gather(*asking, other)) == {"token-1"}
    assert entra.issuer.asked == {SCOPE: 1, OTHER_SCOPE: 1}


async def test_who_gives_up_does_not_stop_the_others() -> None:
    """When the one who asks is cancelled, the next in line asks."""
    entra = IssuedTokens()
    entra.issuer.answering.clear()
    first, second = (asyncio.create_task(entra.token(SCOPE)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    entra.issuer.answering.set()
    assert await second == "token-2"


@pytest.mark.parametrize(("lives_seconds", "tokens"), [(320, ["token-1", "token-1"]), (280, ["token-1", "token-2"])])
async def test_a_token_is_renewed_five_minutes_early(lives_seconds: float, tokens: list[str]) -> None:
    """A token with more than five minutes left is used again, one with less is replaced."""
    entra = IssuedTokens()
    entra.issuer.lives_seconds = lives_seconds
    assert [await entra.token(SCOPE), await entra.token(SCOPE)] == tokens


async def test_an_old_token_serves_while_no_new_one_is_to_be_had() -> None:
    """Renewal that fails early costs nothing; it is tried again with the next request."""
    entra = IssuedTokens()
    entra.issuer.lives_seconds = 200
    await entra.token(SCOPE)
    entra.issuer.error = ServiceRequestError("no network")
    assert await entra.token(SCOPE) == "token-1"
    entra.issuer.error = None
    assert await entra.token(SCOPE) == "token-3"


async def test_an_expired_token_is_not_used() -> None:
    """When there is no valid token left, the failure is told."""
    entra = IssuedTokens()
    entra.issuer.lives_seconds = -1
    await entra.token(SCOPE)
    entra.issuer.error = ServiceRequestError("no network")
    with pytest.raises(StageFailed) as raised:
        await entra.token(SCOPE)
    assert raised.value.retryable


async def test_a_silent_identity_service_has_a_deadline() -> None:
    """Nobody waits for a token longer than they said."""
    entra = IssuedTokens(seconds=0.05)
    entra.issuer.answering.clear()
    with pytest.raises(StageTimedOut):
        await entra.token(SCOPE)
