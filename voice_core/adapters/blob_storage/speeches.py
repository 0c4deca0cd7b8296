"""Speech that players fetch: PCM that grows during synthesis, and complete files in other formats."""

from azure.core import MatchConditions
from azure.core.exceptions import DecodeError, ResourceExistsError
from azure.storage.blob import BlobType
from azure.storage.blob.aio import BlobClient

from voice_core.adapters.blob_storage.account import BlobAccount
from voice_core.adapters.blob_storage.deletion import delete_blob
from voice_core.adapters.blob_storage.failures import STAGE, our_errors, precondition_failed
from voice_core.adapters.blob_storage.names import folder
from voice_core.domain.errors import NotFound, StageFailed
from voice_core.domain.speech import SpeechName, StoredSpeech

MISSING = "speech-not-found"

LIVE = "pcm"
COMPLETE = "complete"
"""Metadata of a blob whose speech is complete."""


class BlobSpeeches:
    """The `Speeches` in one *container* of the account, each conversation's in a folder of its own."""

    def __init__(self, account: BlobAccount, container: str = "artefacts") -> None:
        self._account = account
        self._container = container

    async def begin(self, name: SpeechName) -> None:
        blob = await self._blob(name, LIVE)
        try:
            with our_errors(MISSING):
                await blob.create_append_blob(match_condition=MatchConditions.IfMissing)
        except StageFailed as error:
            if not isinstance(error.__cause__, ResourceExistsError):
                raise
            # An earlier attempt broke off. Its encoded files would be taken for the complete speech.
            await self.delete(name.user_id, name.conversation_id, name.turn_id)
            with our_errors(MISSING):
                await blob.create_append_blob()

    async def append(self, name: SpeechName, start: int, pcm: bytes) -> None:
        blob = await self._blob(name, LIVE)
        try:
            with our_errors(MISSING):
                await blob.append_block(pcm, appendpos_condition=start)
        except StageFailed as error:
            # A retry of an append whose response was lost finds the bytes already appended.
            if not precondition_failed(error) or (await self.find(name)).pcm_bytes != start + len(pcm):
                raise

    async def finish(self, name: SpeechName) -> None:
        blob = await self._blob(name, LIVE)
        with our_errors(MISSING):
            await blob.set_blob_metadata({COMPLETE: "true"})

    async def find(self, name: SpeechName) -> StoredSpeech:
        blob = await self._blob(name, LIVE)
        with our_errors(MISSING):
            found = await blob.get_blob_properties()
            if found.last_modified is None:
                raise DecodeError("Not the properties of a blob.")
            return StoredSpeech(name, int(found.size), COMPLETE in found.metadata, found.last_modified)

    async def read(self, name: SpeechName, start: int, count: int) -> bytes:
        return await _read(await self._blob(name, LIVE), start, count)

    async def encoded(self, name: SpeechName, audio_format: str) -> int:
        blob = await self._blob(name, audio_format)
        with our_errors(MISSING):
            return int((await blob.get_blob_properties()).size)

    async def put_encoded(self, name: SpeechName, audio_format: str, data: bytes) -> None:
        blob = await self._blob(name, audio_format)
        try:
            with our_errors(MISSING):
                await blob.upload_blob(data, BlobType.BLOCKBLOB, overwrite=False)
        except StageFailed as error:
            # Another worker has stored the same speech first; players may have fetched part of its file already.
            if not isinstance(error.__cause__, ResourceExistsError):
                raise
        try:
            await self.find(name)
        except NotFound:
            # The speech was deleted while it was encoded: its file must not stay behind.
            await delete_blob(blob)
            raise

    async def read_encoded(self, name: SpeechName, audio_format: str, start: int, count: int) -> bytes:
        return await _read(await self._blob(name, audio_format), start, count)

    async def delete(self, user_id: str, conversation_id: str, turn_id: str = "") -> None:
        container = await self._account.container(self._container)
        prefix = _prefix(user_id, conversation_id) + (f"{turn_id}." if turn_id else "")
        with our_errors(MISSING):
            names = [name async for name in container.list_blob_names(name_starts_with=prefix)]
        for name in names:
            await delete_blob(container.get_blob_client(name))

    async def _blob(self, name: SpeechName, audio_format: str) -> BlobClient:
        container = await self._account.container(self._container)
        prefix = _prefix(name.user_id, name.conversation_id)
        return container.get_blob_client(f"{prefix}{name.turn_id}.{audio_format}")


async def _read(blob: BlobClient, start: int, count: int) -> bytes:
    with our_errors(MISSING):
        data = await (await blob.download_blob(start, count)).readall()
    if len(data) != count:
        raise StageFailed("Storage returned fewer bytes than requested.", stage=STAGE)
    return data


def _prefix(user_id: str, conversation_id: str) -> str:
    return f"speech/{folder(user_id)}/{conversation_id}/"
