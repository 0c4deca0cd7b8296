"""Callers by bearer tokens (RFC 6750) of an OpenID issuer."""

from dataclasses import dataclass
from typing import Any

import jwt
from jwt.exceptions import InvalidSubjectError

from voice_core.adapters.openid.keys import SigningKeys
from voice_core.domain.errors import InvalidToken, Unauthenticated
from voice_core.domain.user import user_id_of
from voice_core.ports.identity import Headers

LONGEST_TOKEN = 16_384
"""Characters; Entra's with 200 groups take 10 000. Longer tokens are rejected unread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequirements:
    """Requirements that a token must meet."""

    issuer: str
    """Must equal its ``iss``."""
    audiences: tuple[str, ...]
    """One of these must be in its ``aud``."""
    algorithms: tuple[str, ...]
    """It must be signed with one of these; no other is tried."""
    user_claim: str
    """The claim that names the user."""
    leeway_seconds: float
    """Most that our clock and the issuer's may differ."""


class OpenIdCallers:
    """Accepts tokens that meet the *requirements* and are signed with one of the issuer's *keys*."""

    def __init__(self, requirements: TokenRequirements, keys: SigningKeys) -> None:
        self._requirements = requirements
        self._keys = keys

    async def identify(self, headers: Headers) -> str:
        token = _bearer(headers)
        try:
            claims = await self._claims(token)
            return user_id_of(self._requirements.issuer, _text(claims[self._requirements.user_claim]))
        except (jwt.PyJWTError, KeyError, UnicodeEncodeError) as error:
            raise InvalidToken("The token was rejected. Get a new one.") from error

    async def check(self) -> None:
        await self._keys.ready()

    async def close(self) -> None:
        await self._keys.close()

    async def _claims(self, token: str) -> dict[str, Any]:
        requirements, header = self._requirements, jwt.get_unverified_header(token)
        if header.get("alg") not in requirements.algorithms:
            raise jwt.InvalidAlgorithmError("The algorithm is not allowed.")
        # A key is bound to its algorithm: PyJWT uses it for that one only, whatever the token's header says.
        return jwt.decode(
            token,
            await self._keys.find((header["kid"], header["alg"])),
            algorithms=requirements.algorithms,
            issuer=requirements.issuer,
            audience=requirements.audiences,
            leeway=requirements.leeway_seconds,
            options={
                "require": ["exp", "iss", "aud", requirements.user_claim],
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
            raise InvalidToken(f"Send one token of at most {LONGEST_TOKEN} characters.")


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidSubjectError("The user claim is empty or no text.")
    return value
