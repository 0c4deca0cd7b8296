"""Bearer tokens (RFC 6750) of an OpenID issuer."""

from dataclasses import dataclass
from typing import Any

import jwt
from jwt.exceptions import InvalidSubjectError

from voice_core.adapters.openid.keys import SigningKeys
from voice_core.domain.errors import InvalidToken, Unauthenticated
from voice_core.domain.user import user_id_of
from voice_core.ports.identity import Headers

LONGEST_TOKEN = 16_384
"""Characters; Entra's with 200 groups take 10 000. Longer ones are not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequirements:
    """What a token must be to be believed."""

    issuer: str
    """Exactly its ``iss``."""
    audiences: tuple[str, ...]
    """One of them is in its ``aud``."""
    algorithms: tuple[str, ...]
    """It is signed with one of them; no other is ever tried."""
    user_claim: str
    """The claim that says who it is."""
    leeway_seconds: float
    """By how much our clock and the issuer's may differ."""


class OpenIdCallers:
    """Believes tokens that are as the *demands* say, signed with one of the issuer's *keys*."""

    def __init__(self, demands: TokenRequirements, keys: SigningKeys) -> None:
        self._demands = demands
        self._keys = keys

    async def identify(self, headers: Headers) -> str:
        token = _bearer(headers)
        try:
            claims = await self._claims(token)
            return user_id_of(self._demands.issuer, _text(claims[self._demands.user_claim]))
        except (jwt.PyJWTError, KeyError, UnicodeEncodeError) as error:
            raise InvalidToken("This token is not accepted: get another.") from error

    async def check(self) -> None:
        await self._keys.ready()

    async def close(self) -> None:
        await self._keys.close()

    async def _claims(self, token: str) -> dict[str, Any]:
        demands, header = self._demands, jwt.get_unverified_header(token)
        if header.get("alg") not in demands.algorithms:
            raise jwt.InvalidAlgorithmError("Its algorithm is none of those.")
        # The key knows what it is for: PyJWT uses it for its own algorithm only, whatever the token's header says.
        return jwt.decode(
            token,
            await self._keys.find((header["kid"], header["alg"])),
            algorithms=demands.algorithms,
            issuer=demands.issuer,
            audience=demands.audiences,
            leeway=demands.leeway_seconds,
            options={
                "require": ["exp", "iss", "aud", demands.user_claim],
                "enforce_minimum_key_length": True,
            },
        )


def _bearer(headers: Headers) -> str:
    match headers.getlist("authorization"):
        case []:
            raise Unauthenticated("Send a token: Authorization: Bearer TOKEN.")
        case [shown] if len(shown) <= LONGEST_TOKEN:
            scheme, _, token = shown.partition(" ")
            if scheme.lower() != "bearer":
                raise Unauthenticated("Send a token: Authorization: Bearer TOKEN.")
            return token.strip()
        case _:
            raise InvalidToken("Send one token, as it was given.")


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidSubjectError("The user has no name.")
    return value
