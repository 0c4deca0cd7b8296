"""App Service Authentication: what it says of a caller in the headers that it adds.

https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities

It removes these headers from what comes in from outside. Where it does not stand in front nobody does, and they say
whatever a caller likes.
"""

import json
from base64 import b64decode
from typing import Any

from voice_core.domain.errors import Unauthenticated
from voice_core.domain.user import user_id_of
from voice_core.ports.identity import Headers

PRINCIPAL = "x-ms-client-principal"
"""JSON in base64: ``{"auth_typ": …, "claims": [{"typ": …, "val": …}, …]}``. There is ``-id`` besides, but it says
neither which provider nor which tenant calls somebody that."""

LONGEST_PRINCIPAL = 32_768
"""Characters. A token with its 200 groups makes 20 000; a front end takes no more."""

ENTRA = "aad"
ENTRA_ISSUER = "https://login.microsoftonline.com/{tenant}/v2.0"
"""Whose tokens they were, so that the same person is the same user where the app checks tokens itself."""

OBJECT = ("oid", "http://schemas.microsoft.com/identity/claims/objectidentifier")
TENANT = ("tid", "http://schemas.microsoft.com/identity/claims/tenantid")
SUBJECT = ("sub", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier")
"""Names of a claim in the token, and as the platform renames it."""


class EasyAuthCallers:
    """Believes the platform."""

    async def identify(self, headers: Headers) -> str:
        match headers.getlist(PRINCIPAL):
            case []:
                raise Unauthenticated("Sign in: no caller came with this request.")
            case [principal] if len(principal) <= LONGEST_PRINCIPAL:
                return _user(principal)
            case _:
                raise Unauthenticated("Sign in again: the caller is not told as it should be.")

    async def check(self) -> None:
        """There is nothing to get ready."""

    async def close(self) -> None:
        """Nor to free."""


def _user(principal: str) -> str:
    try:
        document = json.loads(b64decode(principal, validate=True))
        claims = [(claim["typ"], claim["val"]) for claim in document["claims"]]
        return _named(document["auth_typ"], claims)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unauthenticated("Sign in again: the caller is not told as it should be.") from error


def _named(provider: Any, claims: list[tuple[Any, Any]]) -> str:
    """A person of a tenant is its object: their subject differs from one app registration to the next."""
    person, tenant = _one(OBJECT, claims), _one(TENANT, claims)
    if provider == ENTRA and person:
        return user_id_of(ENTRA_ISSUER.format(tenant=tenant or "organizations"), person)
    return user_id_of(_text(provider), _text(_one(SUBJECT, claims)))


def _one(names: tuple[str, ...], claims: list[tuple[Any, Any]]) -> str | None:
    """The value of the claim that has one of *names*, if any; raises ValueError when there is more than one."""
    values = {_text(value) for name, value in claims if name in names}
    if len(values) > 1:
        raise ValueError(names[0])
    return next(iter(values), None)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(type(value).__name__)
    return value
