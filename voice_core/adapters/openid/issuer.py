"""What an issuer publishes: its configuration (OpenID Connect Discovery 1.0) and its keys (RFC 7517)."""

import json
from collections.abc import Mapping
from typing import Any

import aiohttp
from jwt import PyJWK

from voice_core import timeouts
from voice_core.adapters.bounded_body import body
from voice_core.adapters.openid.keys import KeyName
from voice_core.domain.errors import Unreachable

CONFIGURATION = "/.well-known/openid-configuration"
LONGEST_DOCUMENT = 262_144
"""Bytes. Entra's and Google's take 20 000."""


class Issuer:
    """Reads what *name*, an ``iss``, publishes; its keys are at *keys_url*, or where its configuration says."""

    def __init__(self, name: str, keys_url: str = "", *, seconds: float) -> None:
        self._name = name
        self._keys_url = keys_url
        self._seconds = seconds
        """How long all of it may take."""

    async def keys(self) -> Mapping[KeyName, PyJWK]:
        """The keys that it signs with just now.

        Raises:
            Unreachable: with stage ``identity``; it does not say, or nothing that could be used.
        """
        try:
            async with timeouts.timeout(self._seconds), aiohttp.ClientSession() as http:
                url = self._keys_url or await self._discovered(http)
                return _signing_keys(await _document(http, url))
        except TimeoutError as error:
            raise _away(f"The issuer of tokens did not tell its keys within {self._seconds:g} s.") from error
        except aiohttp.ClientError as error:
            raise _away("The issuer of tokens could not be reached.") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise _away("The issuer of tokens told nothing that could be used.") from error

    async def _discovered(self, http: aiohttp.ClientSession) -> str:
        configuration = await _document(http, self._name.rstrip("/") + CONFIGURATION)
        if configuration["issuer"] != self._name:
            raise ValueError("It is somebody else's configuration.")
        url: str = configuration["jwks_uri"]
        if self._name.startswith("https:") and not url.startswith("https:"):
            raise ValueError("Its keys could be changed on their way.")
        return url


async def _document(http: aiohttp.ClientSession, url: str) -> Any:
    # A redirect would be another's word for its keys.
    async with http.get(url, allow_redirects=False, headers={"Accept": "application/json"}) as response:
        if response.status != 200:
            raise ValueError(f"It answered {response.status}.")
        return json.loads(await body(response, LONGEST_DOCUMENT))


def _signing_keys(document: Any) -> Mapping[KeyName, PyJWK]:
    found: dict[KeyName, PyJWK] = {}
    for published in document["keys"]:
        if key := _signing_key(published):
            # Of two by one name the first counts: what comes later takes no good key's place.
            found.setdefault((published["kid"], key.algorithm_name), key)
    if not found:
        raise ValueError("There is no key to sign with.")
    return found


def _signing_key(published: Any) -> PyJWK | None:
    """A key bound to the one algorithm that it is for; None when it is for other uses, or not understood, as RFC 7517,
    section 5, wants it: one odd key must not lock out whoever shows a token of another."""
    try:
        if published.get("use", "sig") != "sig" or not isinstance(published["kid"], str):
            return None
        return PyJWK(published)
    except Exception:  # noqa: BLE001 - what PyJWT and cryptography raise for odd keys is not theirs to promise
        return None


def _away(detail: str) -> Unreachable:
    return Unreachable(detail, stage="identity")
