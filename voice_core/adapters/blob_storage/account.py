"""The storage account, with one client per process, which connects at first use."""

import asyncio
import base64
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.core.pipeline import PipelineRequest
from azure.core.rest import HttpRequest
from azure.storage.blob import BlobSasPermissions, UserDelegationKey, generate_blob_sas
from azure.storage.blob.aio import BlobServiceClient, ContainerClient, LinearRetry

from voice_core import telemetry
from voice_core.adapters.blob_storage.failures import STAGE, our_errors
from voice_core.domain.errors import Misconfigured

CONNECT_SECONDS = 3
READ_SECONDS = 20

RETRIES = 1
PAUSE_SECONDS = 1
"""Longest pause before a retry; its length is random."""

KEY_HOURS = 12
"""How long a signing key is valid; the service allows at most 7 days."""

CLOCKS_DIFFER = timedelta(hours=1)
"""How much our clock may be fast before the service considers a new signing key as not valid yet
(https://learn.microsoft.com/azure/storage/common/storage-sas-overview#best-practices-when-using-sas)."""


class BlobAccount:
    """The account at *url*, ``https://NAME.blob.core.windows.net`` or the emulator's address with the account's name.

    *credential* is the account's key or an async token credential, which the caller closes. With *create*, missing
    containers are created.
    """

    def __init__(self, url: str, *, credential: Any, create: bool) -> None:
        self._key = credential if isinstance(credential, str) else None
        self._create = create
        self._created: set[str] = set()
        self._signing = asyncio.Lock()
        self._delegation: tuple[UserDelegationKey, datetime] | None = None
        self._client = _client(url, credential)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def check(self) -> None:
        """Reach the account.

        Raises:
            StageFailed: with stage ``storage``.
        """
        with our_errors():
            async for _ in self._client.list_containers(results_per_page=1):
                break

    async def container(self, name: str) -> ContainerClient:
        """The container of that name. With *create* it is created at first use if it is missing."""
        container = self._client.get_container_client(name)
        if self._create and name not in self._created:
            try:
                with our_errors():
                    await container.create_container()
            except Exception as error:
                if not isinstance(error.__cause__, ResourceExistsError):
                    raise
            self._created.add(name)
        return container

    async def signed(self, container: ContainerClient, blob: str, permission: str, until: datetime) -> str:
        """The blob's URL with a SAS for *permission*, such as ``c``, valid until *until*."""
        signer = await self._signer(until)
        token = generate_blob_sas(
            self._client.account_name or "",
            container.container_name,
            blob,
            permission=BlobSasPermissions.from_string(permission),
            # Without a start it is valid at once, also when our clock is fast.
            expiry=until,
            **signer,
        )
        return f"{container.get_blob_client(blob).url}?{token}"

    async def _signer(self, until: datetime) -> dict[str, Any]:
        """The signing key: the account's key, or a user delegation key of our identity."""
        if self._key:
            return {"account_key": self._key}
        async with self._signing:
            if self._delegation is None or self._delegation[1] < until:
                self._delegation = await self._new_delegation()
        return {"user_delegation_key": self._delegation[0]}

    async def _new_delegation(self) -> tuple[UserDelegationKey, datetime]:
        now = datetime.now(UTC)
        ends = now + timedelta(hours=KEY_HOURS)
        with our_errors():
            key = await self._client.get_user_delegation_key(now - CLOCKS_DIFFER, ends)
            # The key is cached for hours, so check now that it can sign.
            base64.b64decode(key.value or "-", validate=True)
            return key, ends


def _client(url: str, credential: Any) -> BlobServiceClient:
    # The SDK logs each request at INFO, with the user's id in a URL.
    logger = logging.getLogger(f"{__name__}.wire")
    logger.setLevel(logging.WARNING)
    try:
        return BlobServiceClient(
            url,
            credential,
            connection_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            # Retries are safe: appends name their position, and other requests replace, or fail if the blob exists.
            retry_policy=LinearRetry(0, RETRIES, random_jitter_range=PAUSE_SECONDS),
            # A redirect is an error: we neither send data to another host nor trust data from it.
            permit_redirects=False,
            logger=logger,
            raw_request_hook=_traced,
        )
    except (ValueError, TypeError) as error:
        raise Misconfigured("The storage URL or credential is malformed.", stage=STAGE) from error


def _traced(request: PipelineRequest[HttpRequest]) -> None:
    request.http_request.headers.update(telemetry.outgoing())
