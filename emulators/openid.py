"""An OpenID Connect issuer: its configuration, its keys, and tokens for every caller. The product checks them for real.

``GET /_emulator/token?sub=anna`` returns a token as text; optional parameters are ``aud`` and ``seconds`` (to its
expiry). The steps of a script apply to the operations ``configuration`` and ``keys``. They support ``connect_seconds``,
``hang``, ``status`` with ``headers`` and ``body``, ``body`` alone, and ``drop_after``: 0 cuts the connection before the
response, a larger number after that many bytes of the document.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import time
from typing import Any
from uuid import uuid4

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from emulators.script import Script, ServedRequest, Step
from emulators.serving import SCRIPT, scripted

AUDIENCE = "voice"
LIFETIME_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Signer:
    """A key pair that signs tokens."""

    private_key: Any
    algorithm: str
    """RS256 or ES256."""
    key_id: str = field(default_factory=lambda: uuid4().hex)

    @classmethod
    def make(cls, algorithm: str = "RS256", bits: int = 2048) -> "Signer":
        """Generate a key pair; *bits* is the size of an RSA key."""
        private: Any = (
            rsa.generate_private_key(public_exponent=65537, key_size=bits)
            if algorithm == "RS256"
            else ec.generate_private_key(ec.SECP256R1())
        )
        return cls(private, algorithm)

    @property
    def public(self) -> dict[str, Any]:
        """The public key as published JWK, without ``alg``, which Entra leaves out too."""
        way = RSAAlgorithm if self.algorithm == "RS256" else ECAlgorithm
        jwk: dict[str, Any] = way.to_jwk(self.private_key.public_key(), as_dict=True)
        return jwk | {"kid": self.key_id, "use": "sig"}

    def sign(self, claims: Mapping[str, Any], **header: Any) -> str:
        """A token with these claims, unchecked; *header* adds members to its header, or removes those that are None."""
        members = {name: value for name, value in ({"kid": self.key_id} | header).items() if value is not None}
        return jwt.PyJWS().encode(json.dumps(dict(claims)).encode(), self.private_key, self.algorithm, members)


SIGNERS = web.AppKey("signers", list[Signer])


def openid_app(signers: list[Signer] | None = None, script: Script | None = None) -> web.Application:
    """The issuer as an application; it publishes the current keys of *signers*, a list that the caller may change."""
    app = scripted(web.Application(), script)
    app[SIGNERS] = [Signer.make()] if signers is None else signers
    app.router.add_get("/.well-known/openid-configuration", _get_configuration)
    app.router.add_get("/keys", _get_keys)
    app.router.add_get("/_emulator/token", _get_token)
    return app


def claims(issuer: str, subject: str, audience: str = AUDIENCE, seconds: float = LIFETIME_SECONDS) -> dict[str, Any]:
    """The claims of a token that is valid for *seconds* from now."""
    now = int(time())
    return {"iss": issuer, "sub": subject, "aud": audience, "iat": now, "nbf": now, "exp": now + int(seconds)}


async def _get_configuration(request: web.Request) -> web.StreamResponse:
    issuer = _name(request)
    algorithms = sorted({signer.algorithm for signer in request.app[SIGNERS]})
    document = {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/keys",
        "response_types_supported": ["token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms,
    }
    return await _serve(request, "configuration", document)


async def _get_keys(request: web.Request) -> web.StreamResponse:
    return await _serve(request, "keys", {"keys": [signer.public for signer in request.app[SIGNERS]]})


async def _get_token(request: web.Request) -> web.StreamResponse:
    query = request.query
    try:
        seconds = float(query.get("seconds", LIFETIME_SECONDS))
        token_claims = claims(_name(request), query["sub"], query.get("aud", AUDIENCE), seconds)
    except (KeyError, ValueError, OverflowError) as error:
        raise web.HTTPBadRequest(text="Name the subject, as in sub=anna; seconds is a number.") from error
    return web.Response(text=request.app[SIGNERS][0].sign(token_claims))


def _name(request: web.Request) -> str:
    return f"http://{request.host}"


async def _serve(request: web.Request, operation: str, document: Mapping[str, Any]) -> web.StreamResponse:
    script = request.app[SCRIPT]
    with script.serving(operation) as served:
        step = script.next(operation)
        await asyncio.sleep(step.connect_seconds)
        if step.hang:
            served.outcome = "hung"
            await asyncio.Event().wait()
        if step.drop_after is not None:
            return await _cut(request, json.dumps(document), step.drop_after, served)
        return _response(step, document, served)


def _response(step: Step, document: Mapping[str, Any], served: ServedRequest) -> web.Response:
    status = step.status or 200
    if step.status is not None:
        served.outcome = f"status-{status}"
    text = json.dumps(document) if step.body is None and status == 200 else step.body
    return web.Response(status=status, headers=step.headers, text=text, content_type="application/json")


async def _cut(request: web.Request, text: str, after: int, served: ServedRequest) -> web.StreamResponse:
    served.outcome = "dropped"
    response = web.StreamResponse(headers={"Content-Length": str(len(text))})
    if after:
        await response.prepare(request)
        await response.write(text[:after].encode())
    if request.transport is not None:
        request.transport.close()
    return response
