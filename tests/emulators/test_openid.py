"""The issuer of tokens, as a laptop has it."""

import aiohttp
import jwt
import pytest

from emulators.openid import AUDIENCE
from tests.issuers import Issuer, signer


async def test_its_tokens_fit_what_it_publishes(issuer: Issuer) -> None:
    """A client that follows the standards believes them: PyJWT's own finds the keys and checks the signature."""
    async with aiohttp.ClientSession() as http:
        configuration = await (await http.get(f"{issuer.url}/.well-known/openid-configuration")).json()
        keys = await (await http.get(configuration["jwks_uri"])).json()
        token = await (await http.get(f"{issuer.url}/_emulator/token?sub=anna")).text()
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, audience=AUDIENCE, issuer=configuration["issuer"])

    assert (claims["sub"], claims["iss"]) == ("anna", issuer.url)
    assert claims["exp"] - claims["iat"] == 3600
    assert "d" not in signer().public


@pytest.mark.parametrize(
    ("query", "claims"), [("sub=bob&aud=x", {"aud": "x"}), ("sub=bob&seconds=-60", {"sub": "bob"})]
)
async def test_a_token_may_be_asked_to_be_wrong(issuer: Issuer, query: str, claims: dict[str, str]) -> None:
    """For another audience, or over already."""
    async with aiohttp.ClientSession() as http, http.get(f"{issuer.url}/_emulator/token?{query}") as response:
        told = jwt.decode(await response.text(), options={"verify_signature": False})

    assert claims.items() <= told.items()


@pytest.mark.parametrize("query", ["", "sub=anna&seconds=soon", "sub=anna&seconds=inf"])
async def test_a_token_is_for_somebody(issuer: Issuer, query: str) -> None:
    """Who does not say for whom, or for how long in numbers, is told."""
    async with aiohttp.ClientSession() as http, http.get(f"{issuer.url}/_emulator/token?{query}") as response:
        assert response.status == 400
