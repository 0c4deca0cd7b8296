"""The emulated issuer of tokens."""

import aiohttp
import jwt
import pytest

from emulators.openid import AUDIENCE
from tests.issuers import Issuer, signer


async def test_tokens_match_the_published_configuration(issuer: Issuer) -> None:
    """A client that follows the standards accepts a token: PyJWT finds the key and checks the signature."""
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
async def test_an_invalid_token_can_be_requested(issuer: Issuer, query: str, claims: dict[str, str]) -> None:
    """A token for another audience or an expired one can be requested."""
    async with aiohttp.ClientSession() as http, http.get(f"{issuer.url}/_emulator/token?{query}") as response:
        claims_in_token = jwt.decode(await response.text(), options={"verify_signature": False})

    assert claims.items() <= claims_in_token.items()


@pytest.mark.parametrize("query", ["", "sub=anna&seconds=soon", "sub=anna&seconds=inf"])
async def test_a_token_request_must_be_valid(issuer: Issuer, query: str) -> None:
    """A request without a subject, or with an invalid number of seconds, is 400."""
    async with aiohttp.ClientSession() as http, http.get(f"{issuer.url}/_emulator/token?{query}") as response:
        assert response.status == 400
