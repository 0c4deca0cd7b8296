"""The app's identity in Microsoft Entra ID, and the tokens it gets there."""

import asyncio
from collections import defaultdict
from time import time

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

from voice_core import timeouts
from voice_core.domain.errors import Misconfigured, StageFailed, StageTimedOut

REFRESH_SECONDS = 300.0
"""How long before its expiry a token is replaced."""


class EntraTokens:
    """Tokens for the user-assigned identity *client_id*, or, without one, for the identity that
    DefaultAzureCredential finds.

    Errors carry no stage: only the caller knows what the token was for.
    """

    def __init__(self, client_id: str | None = None, *, seconds: float = 10.0) -> None:
        self._client_id = client_id
        self._seconds = seconds
        """How long a new token may take."""
        self._credential: AsyncTokenCredential | None = None
        self._tokens: dict[str, AccessToken] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def credential(self) -> AsyncTokenCredential:
        """For Azure SDKs that take one; `close` closes it."""
        if self._credential is None:
            self._credential = (
                ManagedIdentityCredential(client_id=self._client_id) if self._client_id else DefaultAzureCredential()
            )
        return self._credential

    async def token(self, scope: str) -> str:
        """A token for *scope*, valid for at least some minutes. Concurrent callers share one request.

        Raises:
            Misconfigured: the app has no identity here, or the identity may not have this token.
            StageTimedOut: the identity service did not respond in time.
            StageFailed: it could not be reached.
        """
        # One caller requests the token; the others then find it.
        async with self._locks[scope]:
            token = self._tokens.get(scope)
            if token is None or token.expires_on - time() < REFRESH_SECONDS:
                token = self._tokens[scope] = await self._renew(scope, token)
            return token.token

    async def close(self) -> None:
        """Close the credential, if it was used."""
        if self._credential is not None:
            await self._credential.close()

    async def _renew(self, scope: str, old: AccessToken | None) -> AccessToken:
        try:
            return await self._request(scope)
        except StageFailed:
            if old is not None and old.expires_on > time():
                return old
            raise

    async def _request(self, scope: str) -> AccessToken:
        try:
            async with timeouts.timeout(self._seconds):
                return await self.credential.get_token(scope)
        except TimeoutError as error:
            raise StageTimedOut("The identity service did not respond in time.") from error
        except ClientAuthenticationError as error:
            raise Misconfigured("The app has no identity that may do this.") from error
        except AzureError as error:
            raise StageFailed("The identity service could not be reached.") from error
