"""Reads an issuer's configuration (OpenID Connect Discovery 1.0) and its keys (RFC 7517)."""

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
    """The issuer whose ``iss`` is *name*. Its keys are at *keys_url*, or else where its configuration says."""

    def __init__(self, name: str, keys_url: str = "", *, seconds: float) -> None:
        self._name = name
        self._keys_url = keys_url
        self._seconds = seconds
        """How long all requests together may take."""

    async def keys(self) -> Mapping[KeyName, PyJWK]:
        """The issuer's current signing keys.

        Raises:
            Unreachable: with stage ``identity``; there is no response, or not a valid one.
        """
        try:
            async with timeouts.timeout(self._seconds), aiohttp.ClientSession() as http:
                url = self._keys_url or await self._discovered(http)
                return _signing_keys(await _document(http, url))
        except TimeoutError as error:
            raise _unreachable(f"The token issuer did not return its keys within {self._seconds:g} s.") from error
        except aiohttp.ClientError as error:
            raise _unreachable("The token issuer could not be reached.") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise _unreachable("The token issuer returned an invalid key document.") from error

    async def _discovered(self, http: aiohttp.ClientSession) -> str:
        configuration = await _document(http, self._name.rstrip("/") + CONFIGURATION)
        if configuration["issuer"] != self._name:
            raise ValueError("The configuration is of another issuer.")
        url: str = configuration["jwks_uri"]
        if self._name.startswith("https:") and not url.startswith("https:"):
            raise ValueError("The URL of the keys is not https.")
        return url


async def _document(http: aiohttp.ClientSession, url: str) -> Any:
    # After a redirect, another host could supply the keys.
    async with http.get(url, allow_redirects=False, headers={"Accept": "application/json"}) as response:
        if response.status != 200:
            raise ValueError(f"It returned {response.status}.")
        return json.loads(await body(response, LONGEST_DOCUMENT))


def _signing_keys(document: Any) -> Mapping[KeyName, PyJWK]:
    found: dict[KeyName, PyJWK] = {}
    for published in document["keys"]:
        if key := _signing_key(published):
            # Of two keys with the same name the first counts, so a later one cannot replace a good key.
            found.setdefault((published["kid"], key.algorithm_name), key)
    if not found:
        raise ValueError("There is no signing key.")
    return found


def _signing_key(published: Any) -> PyJWK | None:
    """A key bound to its one algorithm; None if it is for other uses, or not understood.

    RFC 7517, section 5, says to ignore such keys: one odd key must not cause tokens of other keys to be rejected.
    """
    try:
        if published.get("use", "sig") != "sig" or not isinstance(published["kid"], str):
            return None
        return PyJWK(published)
    except Exception:  # noqa: BLE001 - PyJWT and cryptography do not document what they raise for odd keys
        return None


def _unreachable(detail: str) -> Unreachable:
    return Unreachable(detail, stage="identity")
