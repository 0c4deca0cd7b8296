"""Uploads from the page into the emulated storage."""

from collections.abc import Sequence

from azure.storage.blob import CorsRule
from azure.storage.blob.aio import BlobServiceClient

from emulators.azurite import Storage


async def allow_uploads(storage: Storage, origins: Sequence[str]) -> None:
    """Allow pages of *origins* to upload blobs from a browser."""
    rule = CorsRule(list(origins), ["PUT"], allowed_headers=["*"], max_age_in_seconds=3600)
    async with BlobServiceClient.from_connection_string(storage.connection()) as client:
        await client.set_service_properties(cors=[rule])
