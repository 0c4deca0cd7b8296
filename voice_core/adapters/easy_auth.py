"""The caller as App Service Authentication names it in the headers that it adds.

https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities

App Service Authentication removes these headers from incoming requests. Where it is not in front of the app, they are
not removed, and a caller can set them to anything.
"""

import json
from base64 import b64decode
from typing import Any

from voice_core.domain.errors import Unauthenticated
from voice_core.domain.user import user_id_of
from voice_core.ports.identity import Headers

PRINCIPAL = "x-ms-client-principal"
"""JSON in base64: ``{"auth_typ": …, "claims": [{"typ": …, "val": …}, …]}``. The header ``-id`` also exists, but it
names neither the provider nor the tenant that issued the id."""

LONGEST_PRINCIPAL = 32_768
"""Characters. A token with 200 groups makes 20 000; a front end accepts no more than this."""

ENTRA = "aad"
ENTRA_ISSUER = "https://login.microsoftonline.com/{tenant}/v2.0"
"""Issuer of Entra's tokens. The same person is then the same user as where the app checks tokens itself."""

OBJECT = ("oid", "http://schemas.microsoft.com/identity/claims/objectidentifier")
TENANT = ("tid", "http://schemas.microsoft.com/identity/claims/tenantid")
SUBJECT = ("sub", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier")
"""Names of a claim: in the token, and as the platform renames it."""


class EasyAuthCallers:
    """Callers as the platform names them; the app checks nothing itself."""

    async def identify(self, headers: Headers) -> str:
        match headers.getlist(PRINCIPAL):
            case []:
                raise Unauthenticated("Sign in: this request carries no sign-in header.")
            case [principal] if len(principal) <= LONGEST_PRINCIPAL:
                return _user(principal)
            case _:
                raise Unauthenticated("The sign-in header is malformed. Sign in again.")

    async def check(self) -> None:
        """Nothing to prepare."""

    async def close(self) -> None:
        """Nothing to free."""


def _user(principal: str) -> str:
    try:
        document = json.loads(b64decode(principal, validate=True))
        claims = [(claim["typ"], claim["val"]) for claim in document["claims"]]
        return _identity(document["auth_typ"], claims)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unauthenticated("The sign-in header is malformed. Sign in again.") from error


def _identity(provider: Any, claims: list[tuple[Any, Any]]) -> str:
    """The user id. An Entra user is named by object id: the subject differs from one app registration to the next."""
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
