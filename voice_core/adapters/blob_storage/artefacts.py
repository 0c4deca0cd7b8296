"""Artefacts of clips, such as transcripts and speech, stored beside the recordings."""

from collections.abc import Sequence

from voice_core.adapters.blob_storage.account import BlobAccount
from voice_core.adapters.blob_storage.deletion import delete_blob
from voice_core.adapters.blob_storage.failures import our_errors
from voice_core.adapters.blob_storage.names import blob_name
from voice_core.domain.clip import ClipName

MISSING = "artefact-missing"


class BlobArtefacts:
    """The `Artefacts` in one *container* of the account, each clip's in a folder of its own."""

    def __init__(self, account: BlobAccount, container: str = "artefacts") -> None:
        self._account = account
        self._container = container

    async def put(self, clip: ClipName, name: str, data: bytes) -> None:
        container = await self._account.container(self._container)
        with our_errors(MISSING):
            await container.upload_blob(f"{_folder(clip)}{name}", data, overwrite=True)

    async def get(self, clip: ClipName, name: str) -> bytes:
        container = await self._account.container(self._container)
        with our_errors(MISSING):
            download = await container.download_blob(f"{_folder(clip)}{name}")
            return await download.readall()

    async def names(self, clip: ClipName, prefix: str) -> Sequence[str]:
        container = await self._account.container(self._container)
        folder = _folder(clip)
        with our_errors(MISSING):
            return [name[len(folder) :] async for name in container.list_blob_names(name_starts_with=folder + prefix)]

    async def delete(self, clip: ClipName) -> None:
        container = await self._account.container(self._container)
        for name in await self.names(clip, ""):
            await delete_blob(container.get_blob_client(f"{_folder(clip)}{name}"))


def _folder(clip: ClipName) -> str:
    return f"clips/{blob_name(clip)}/"
