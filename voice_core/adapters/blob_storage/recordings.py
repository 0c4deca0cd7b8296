"""Recordings, which clients upload directly into a container."""

from datetime import datetime

from azure.core import MatchConditions
from azure.core.exceptions import DecodeError

from voice_core.adapters.blob_storage.account import BlobAccount
from voice_core.adapters.blob_storage.deletion import delete_blob
from voice_core.adapters.blob_storage.failures import STAGE, no_container, our_errors, precondition_failed
from voice_core.adapters.blob_storage.names import blob_name
from voice_core.domain.clip import ClipName, Recording, UploadPermission
from voice_core.domain.errors import Conflict, StageFailed

CREATE, CREATE_IN_BLOCKS = "c", "cw"
"""SAS permissions. Without ``w`` a blob cannot be overwritten, but uploading single blocks requires ``w``.

A URL with ``w`` may also be used to overwrite, snapshot and lease the blob until it expires
(https://learn.microsoft.com/rest/api/storageservices/create-service-sas#permissions-for-a-directory-container-or-blob).
So a recording is read in one version only, and `delete_blob` copes with snapshots and leases.
"""


class BlobRecordings:
    """The `Recordings` in one *container* of the account."""

    def __init__(self, account: BlobAccount, container: str = "clips") -> None:
        self._account = account
        self._container = container

    async def allow_upload(self, name: ClipName, until: datetime, *, in_blocks: bool) -> UploadPermission:
        container = await self._account.container(self._container)
        with our_errors():
            if not await container.exists():
                raise no_container()
        permission = CREATE_IN_BLOCKS if in_blocks else CREATE
        url = await self._account.signed(container, blob_name(name), permission, until)
        return UploadPermission(url, {} if in_blocks else {"x-ms-blob-type": "BlockBlob"})

    async def find(self, name: ClipName) -> Recording:
        container = await self._account.container(self._container)
        with our_errors():
            found = await container.get_blob_client(blob_name(name)).get_blob_properties()
            if not found.etag:
                raise DecodeError("Not the properties of a blob.")
            return Recording(name, found.etag, int(found.size))

    async def read(self, recording: Recording, start: int, count: int) -> bytes:
        try:
            data = await self._read(recording, start, count)
        except StageFailed as error:
            if not precondition_failed(error):
                raise
            # The service checks the condition first, so a deleted recording fails it too: `find` raises NotFound then.
            await self.find(recording.name)
            raise Conflict("The recording has been replaced.", code="recording-changed", stage=STAGE) from error
        if len(data) != count:
            raise StageFailed("Storage returned fewer bytes than requested.", stage=STAGE)
        return data

    async def _read(self, recording: Recording, start: int, count: int) -> bytes:
        container = await self._account.container(self._container)
        with our_errors():
            download = await container.get_blob_client(blob_name(recording.name)).download_blob(
                start, count, etag=recording.version, match_condition=MatchConditions.IfNotModified
            )
            return await download.readall()

    async def delete(self, name: ClipName) -> None:
        container = await self._account.container(self._container)
        await delete_blob(container.get_blob_client(blob_name(name)))
