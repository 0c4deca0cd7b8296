"""A local OpenID issuer with generated keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from emulators.openid import Signer, claims, openid_app
from emulators.script import Script
from emulators.serving import serving

AUDIENCE = "voice"


def signer(algorithm: str = "RS256", name: str = "first") -> Signer:
    """A key pair; the same one for the same *name*."""
    return _generated(algorithm, name)


@cache
def _generated(algorithm: str, _name: str) -> Signer:
    # Generating an RSA key is slow: each is generated once per process.
    return Signer.make(algorithm)


@dataclass(frozen=True)
class Issuer:
    """A running OpenID issuer, as a test controls it."""

    url: str
    signers: list[Signer]
    """The key pairs whose public keys it publishes."""
    script: Script

    @property
    def settings(self) -> dict[str, Any]:
        """The product settings with which its tokens are accepted."""
        return {"auth_mode": "jwt", "jwt_issuer": self.url, "jwt_audience": AUDIENCE}

    def token(self, subject: str = "anna", *, by: Signer | None = None, **changed: Any) -> str:
        """A token for *subject*. *changed* replaces claims; None leaves a claim out."""
        payload = claims(self.url, subject, AUDIENCE) | changed
        return (by or self.signers[0]).sign({name: value for name, value in payload.items() if value is not None})

    def headers(self, subject: str = "anna", **changed: Any) -> dict[str, str]:
        """Request headers of a client that is signed in as *subject*."""
        return {"Authorization": f"Bearer {self.token(subject, **changed)}"}

    def request_count(self, operation: str = "keys") -> int:
        """How many requests for *operation* it has served: ``configuration`` or ``keys``."""
        return sum(served.operation == operation for served in self.script.served)


@asynccontextmanager
async def issuing(*signers: Signer) -> AsyncIterator[Issuer]:
    """Serve an issuer that publishes the keys of *signers*."""
    published, script = [*signers], Script()
    async with serving(openid_app(published, script)) as url:
        yield Issuer(url, published, script)
