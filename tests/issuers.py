"""An issuer of tokens, with keys made on the spot."""

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
    return _made(algorithm, name)


@cache
def _made(algorithm: str, _name: str) -> Signer:
    # Making an RSA key takes long enough to make each once a process.
    return Signer.make(algorithm)


@dataclass(frozen=True)
class Issuer:
    """An OpenID issuer as a test steers it."""

    url: str
    signers: list[Signer]
    """Whose keys it publishes."""
    script: Script

    @property
    def settings(self) -> dict[str, Any]:
        """What the product must be told to believe it."""
        return {"auth_mode": "jwt", "jwt_issuer": self.url, "jwt_audience": AUDIENCE}

    def token(self, subject: str = "anna", *, by: Signer | None = None, **changed: Any) -> str:
        """A token for *subject*; claims are *changed*, or with None left out."""
        told = claims(self.url, subject, AUDIENCE) | changed
        return (by or self.signers[0]).sign({name: value for name, value in told.items() if value is not None})

    def headers(self, subject: str = "anna", **changed: Any) -> dict[str, str]:
        """What a client of *subject* shows."""
        return {"Authorization": f"Bearer {self.token(subject, **changed)}"}

    def asked(self, operation: str = "keys") -> int:
        """How often it was asked for its keys."""
        return sum(served.operation == operation for served in self.script.served)


@asynccontextmanager
async def issuing(*signers: Signer) -> AsyncIterator[Issuer]:
    known, script = [*signers], Script()
    async with serving(openid_app(known, script)) as url:
        yield Issuer(url, known, script)
