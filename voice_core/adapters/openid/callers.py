"""Callers by bearer tokens (RFC 6750) of an OpenID issuer."""

from dataclasses import dataclass
from time import time
from typing import Any

import jwt
from jwt.exceptions import InvalidSubjectError

from voice_core import telemetry
from voice_core.adapters.openid.keys import SigningKeys
from voice_core.domain.errors import InvalidToken, Unauthenticated, Unreachable
from voice_core.domain.user import user_id_of
from voice_core.ports.identity import Headers

LONGEST_TOKEN = 16_384
"""Characters; Entra's with 200 groups take 10 000. Longer tokens are rejected unread."""

MOST_BEHIND_SECONDS = 86_400
"""A token that is later than this is not explained by our clock."""

LONGEST_RETRY_SECONDS = 60.0
"""Longest ``Retry-After`` while our clock is behind: another worker's may be right."""


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
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in self._requirements.algorithms:
            raise jwt.InvalidAlgorithmError("The algorithm is not allowed.")
        # A key is bound to its algorithm: PyJWT uses it for that one only, whatever the token's header says.
        key = await self._keys.find((header["kid"], header["alg"]))
        try:
            return self._verified(token, key)
        except jwt.ImmatureSignatureError:
            self._check_clock(self._verified(token, key, mature=False))
            raise

    def _verified(self, token: str, key: jwt.PyJWK, *, mature: bool = True) -> dict[str, Any]:
        """The claims of *token*, which *key* has signed and which meets the requirements; if *mature*, by now."""
        requirements = self._requirements
        return jwt.decode(
            token,
            key,
            algorithms=requirements.algorithms,
            issuer=requirements.issuer,
            audience=requirements.audiences,
            leeway=requirements.leeway_seconds,
            options={
                "require": ["exp", "iss", "aud", requirements.user_claim],
                "enforce_minimum_key_length": True,
                "verify_iat": mature,
                "verify_nbf": mature,
            },
        )

    def _check_clock(self, claims: dict[str, Any]) -> None:
        """Refuse a token from the future as our own failure: no issuer signs one, so this worker's clock is behind.

        A new token would be rejected too. ``nbf`` alone may be in the future: that token is to be used later.

        Raises:
            Unreachable: with stage ``identity``; it may be sent again when the clock has reached that time.
        """
        issued, latest = claims.get("iat"), time() + self._requirements.leeway_seconds
        if isinstance(issued, int | float) and latest < issued < latest + MOST_BEHIND_SECONDS:
            wait = issued - latest
            telemetry.event("clock-behind", {"seconds": round(wait)})
            detail = "This worker's clock is behind the token issuer's. Try again."
            raise Unreachable(detail, stage="identity", retry_after=min(wait, LONGEST_RETRY_SECONDS))


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
