"""Tokens of the app's identity: the real SDK against an emulated App Service identity endpoint."""

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
    """The server behind ``IDENTITY_ENDPOINT`` of an App Service app; it records the requests."""

    def __init__(self) -> None:
        self.requests: list[dict[str, str]] = []
        self.status = 200

    async def respond(self, request: web.Request) -> web.Response:
        self.requests.append({**request.query, "secret": request.headers.get("X-IDENTITY-HEADER", "")})
        if self.status != 200:
            return web.json_response({"statusCode": self.status, "message": "No."}, status=self.status)
        resource = request.query["resource"]
        token = f"token-{len(self.requests)}"
        expires_on = str(int(time()) + 86_400)
        return web.json_response({"access_token": token, "expires_on": expires_on, "resource": resource})


@pytest.fixture(name="endpoint")
async def _endpoint(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[IdentityEndpoint]:
    endpoint = IdentityEndpoint()
    app = web.Application()
    app.router.add_get("/msi/token", endpoint.respond)
    async with serving(app) as url:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header-secret")
        yield endpoint


async def test_a_user_assigned_identity_is_requested(endpoint: IdentityEndpoint) -> None:
    """The request names the user-assigned identity and the scope's resource, and is made once for each scope."""
    entra = EntraTokens("client-1")
    assert [await entra.token(SCOPE), await entra.token(SCOPE)] == ["token-1", "token-1"]
    assert await entra.token(OTHER_SCOPE) == "token-2"
    await entra.close()
    assert [(request["client_id"], request["resource"], request["secret"]) for request in endpoint.requests] == [
        ("client-1", "https://cognitiveservices.azure.com", "header-secret"),
        ("client-1", "https://storage.azure.com", "header-secret"),
    ]


async def test_without_a_client_id_the_default_is_found(endpoint: IdentityEndpoint) -> None:
    """DefaultAzureCredential uses the same endpoint, as the system-assigned identity."""
    entra = EntraTokens()
    assert await entra.token(SCOPE) == "token-1"
    await entra.close()
    assert "client_id" not in endpoint.requests[0]


async def test_a_refused_identity_is_a_misconfiguration(endpoint: IdentityEndpoint) -> None:
    """A missing identity, or one without permission, is an error that an operator has to fix."""
    endpoint.status = 400
    entra = EntraTokens("client-1")
    with pytest.raises(Misconfigured) as raised:
        await entra.token(SCOPE)
    await entra.close()
    assert raised.value.__cause__ is not None
    assert "header-secret" not in raised.value.detail


async def test_azure_sdks_get_the_same_credential(endpoint: IdentityEndpoint) -> None:
    """All Azure SDKs share one credential; it may be closed twice or unused."""
    entra = EntraTokens("client-1")
    await entra.close()
    credential = entra.credential
    assert credential is entra.credential
    assert (await credential.get_token(SCOPE)).token == "token-1"
    await entra.close()
    await entra.close()


class Issuer(AsyncTokenCredential):
    """A credential with a token lifetime set by the test; it raises *error* if set, and waits for *may_reply*."""

    def __init__(self) -> None:
        self.request_counts: Counter[str] = Counter()
        self.lives_seconds = 3600.0
        self.error: Exception | None = None
        self.may_reply = asyncio.Event()
        self.may_reply.set()

    async def get_token(self, *scopes: str, **options: object) -> AccessToken:
        self.request_counts[scopes[0]] += 1
        await self.may_reply.wait()
        if self.error is not None:
            raise self.error
        return AccessToken(f"token-{self.request_counts[scopes[0]]}", int(time() + self.lives_seconds))

    async def close(self) -> None:
        self.may_reply.set()

    async def __aexit__(self, *reason: object) -> None:
        await self.close()


class IssuedTokens(EntraTokens):
    """Tokens of an `Issuer` that the test controls."""

    def __init__(self, seconds: float = 10.0) -> None:
        super().__init__(seconds=seconds)
        self.issuer = Issuer()
        self._credential = self.issuer


async def test_concurrent_callers_share_one_request() -> None:
    """Fifty concurrent callers make one request, and a caller for another scope does not wait for it."""
    entra = IssuedTokens()
    entra.issuer.may_reply.clear()
    waiting = [asyncio.create_task(entra.token(SCOPE)) for _ in range(50)]
    other = asyncio.create_task(entra.token(OTHER_SCOPE))
    await asyncio.sleep(0)
    assert entra.issuer.request_counts == {SCOPE: 1, OTHER_SCOPE: 1}
    entra.issuer.may_reply.set()
    assert set(await asyncio.gather(*waiting, other)) == {"token-1"}
    assert entra.issuer.request_counts == {SCOPE: 1, OTHER_SCOPE: 1}


async def test_a_cancelled_caller_does_not_stop_the_others() -> None:
    """When the caller that makes the request is cancelled, the next waiting caller makes it."""
    entra = IssuedTokens()
    entra.issuer.may_reply.clear()
    first, second = (asyncio.create_task(entra.token(SCOPE)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    entra.issuer.may_reply.set()
    assert await second == "token-2"


@pytest.mark.parametrize(("lives_seconds", "tokens"), [(320, ["token-1", "token-1"]), (280, ["token-1", "token-2"])])
async def test_a_token_is_renewed_five_minutes_early(lives_seconds: float, tokens: list[str]) -> None:
    """A token that is valid for more than five minutes is used again; one that expires sooner is replaced."""
    entra = IssuedTokens()
    entra.issuer.lives_seconds = lives_seconds
    assert [await entra.token(SCOPE), await entra.token(SCOPE)] == tokens


async def test_a_valid_token_is_used_when_its_renewal_fails() -> None:
    """If the renewal fails while the token is still valid, the token is used; the next call renews again."""
    entra = IssuedTokens()
    entra.issuer.lives_seconds = 200
    await entra.token(SCOPE)
    entra.issuer.error = ServiceRequestError("no network")
    assert await entra.token(SCOPE) == "token-1"
    entra.issuer.error = None
    assert await entra.token(SCOPE) == "token-3"


async def test_an_expired_token_is_not_used() -> None:
    """Without a valid token, a failed renewal raises a retryable error."""
    entra = IssuedTokens()
    entra.issuer.lives_seconds = -1
    await entra.token(SCOPE)
    entra.issuer.error = ServiceRequestError("no network")
    with pytest.raises(StageFailed) as raised:
        await entra.token(SCOPE)
    assert raised.value.retryable


async def test_a_silent_identity_service_has_a_deadline() -> None:
    """A caller waits for a token at most as long as the deadline."""
    entra = IssuedTokens(seconds=0.05)
    entra.issuer.may_reply.clear()
    with pytest.raises(StageTimedOut):
        await entra.token(SCOPE)
