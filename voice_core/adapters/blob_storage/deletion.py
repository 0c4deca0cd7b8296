"""Deletion of blobs, also of those that have snapshots or are leased."""

from azure.storage.blob.aio import BlobClient, BlobLeaseClient

from voice_core.adapters.blob_storage.failures import our_errors, precondition_failed
from voice_core.domain.errors import NotFound, StageFailed

TRIES = 5
"""Most attempts to delete a blob that is leased again and again."""

NO_LEASE = 409
"""Status of breaking a lease that has ended."""


async def delete_blob(blob: BlobClient) -> None:
    """Delete *blob* with its snapshots; succeeds when there is none. Any lease of it is broken.

    Raises:
        StageFailed: with stage ``storage``.
    """
    for attempt in range(1, TRIES + 1):
        try:
            with our_errors():
                await blob.delete_blob(delete_snapshots="include")
        except NotFound:
            return
        except StageFailed as error:
            if attempt == TRIES or not precondition_failed(error):
                raise
            await _break_lease(blob)
        else:
            return


async def _break_lease(blob: BlobClient) -> None:
    try:
        with our_errors():
            await BlobLeaseClient(blob).break_lease(lease_break_period=0)
    except NotFound:
        return
    except StageFailed as error:
        if getattr(error.__cause__, "status_code", None) != NO_LEASE:
            raise
