"""Blob storage: upload permissions, versions of recordings, artefacts and speech, on the real protocol."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from tests.conftest import Account
from voice_core.adapters.blob_storage.account import BlobAccount
from voice_core.adapters.blob_storage.artefacts import BlobArtefacts
from voice_core.adapters.blob_storage.names import blob_name, clip_name
from voice_core.adapters.blob_storage.recordings import BlobRecordings
from voice_core.adapters.blob_storage.speeches import BlobSpeeches
from voice_core.domain.clip import ClipName, UploadPermission
from voice_core.domain.errors import Conflict, Misconfigured, NotFound, StageFailed, Unreachable
from voice_core.domain.speech import SpeechName

NAME = ClipName("ann@example.org", "clip-1")
BLOCK_BLOB = {"x-ms-blob-type": "BlockBlob"}
SPEECH = SpeechName("ann@example.org", "c1", "t1")


@pytest.fixture
async def storage(account: Account) -> AsyncIterator[BlobAccount]:
    storage = BlobAccount(account.url, credential=account.key, create=True)
    yield storage
    await storage.close()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


def soon(seconds: float = 60) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def put(http: aiohttp.ClientSession, upload: UploadPermission, data: bytes, url: str = "", **headers: str) -> int:
    async with http.put(url or upload.url, data=data, headers=upload.headers | headers) as response:
        return response.status


@pytest.mark.parametrize(
    ("blob", "name"),
    [
        (blob_name(NAME), NAME),
        ("clip-1", None),
        ("!!/clip-1", None),
        ("YW5u/clip/1", None),
        ("YW5u/", None),
        ("YW5v=/clip", None),
        ("/clip-1", None),
    ],
)
def test_a_blob_name_contains_user_and_clip(blob: str, name: ClipName | None) -> None:
    """User and clip are read from the name of a recording's blob; any other name yields None."""
    assert clip_name(blob) == name


async def test_a_permission_accepts_one_upload(storage: BlobAccount, http: aiohttp.ClientSession) -> None:
    """The URL of a permission refuses a second upload, another name, reading and deleting."""
    recordings = BlobRecordings(storage)
    upload = await recordings.allow_upload(NAME, soon(), in_blocks=False)

    assert await put(http, upload, b"abc") == 201
    assert await put(http, upload, b"xyz") == 403
    assert await put(http, upload, b"xyz", upload.url.replace("clip-1", "clip-2")) == 403
    async with http.get(upload.url) as got, http.delete(upload.url) as deleted:
        assert (got.status, deleted.status) == (403, 403)
    found = await recordings.find(NAME)
    assert await recordings.read(found, 0, 3) == b"abc"


async def test_a_permission_expires(storage: BlobAccount, http: aiohttp.ClientSession) -> None:
    """An upload that begins too late is refused."""
    upload = await BlobRecordings(storage).allow_upload(NAME, soon(-1), in_blocks=False)

    assert await put(http, upload, b"abc") == 403


async def test_a_permission_for_blocks_accepts_blocks(storage: BlobAccount, http: aiohttp.ClientSession) -> None:
    """A permission for blocks accepts Put Block and Put Block List, with which SDKs upload large files."""
    recordings = BlobRecordings(storage)
    upload = await recordings.allow_upload(NAME, soon(), in_blocks=True)
    for block, data in (("YQ%3D%3D", b"one "), ("Yg%3D%3D", b"two")):
        assert await put(http, upload, data, f"{upload.url}&comp=block&blockid={block}") == 201
    block_list = b"<BlockList><Latest>YQ==</Latest><Latest>Yg==</Latest></BlockList>"
    assert await put(http, upload, block_list, f"{upload.url}&comp=blocklist") == 201

    found = await recordings.find(NAME)
    assert await recordings.read(found, 0, 7) == b"one two"


async def test_a_recording_is_read_in_one_version(storage: BlobAccount, http: aiohttp.ClientSession) -> None:
    """A version that was found cannot be read any more after the recording was replaced or deleted."""
    recordings = BlobRecordings(storage)
    upload = await recordings.allow_upload(NAME, soon(), in_blocks=True)
    await put(http, upload, b"first", **BLOCK_BLOB)
    first = await recordings.find(NAME)
    assert await recordings.read(first, 1, 3) == b"irs"

    await put(http, upload, b"second", **BLOCK_BLOB)
    with pytest.raises(Conflict, match="replaced"):
        await recordings.read(first, 0, 5)
    await recordings.delete(NAME)
    await recordings.delete(NAME)
    with pytest.raises(NotFound) as missing:
        await recordings.read(first, 0, 5)
    assert missing.value.code == "recording-missing"
    with pytest.raises(NotFound):
        await recordings.find(NAME)


async def test_what_others_do_to_a_recording_does_not_keep_it(
    storage: BlobAccount, http: aiohttp.ClientSession
) -> None:
    """A recording that has snapshots, or an endless lease of someone who has its URL, is deleted with all of them."""
    recordings = BlobRecordings(storage)
    upload = await recordings.allow_upload(NAME, soon(), in_blocks=True)
    lease = {"x-ms-lease-action": "acquire", "x-ms-lease-duration": "-1"}
    await put(http, upload, b"abc", **BLOCK_BLOB)
    for _ in range(3):
        assert await put(http, upload, b"", f"{upload.url}&comp=snapshot") == 201
    assert await put(http, upload, b"", f"{upload.url}&comp=lease", **lease) == 201
    await recordings.delete(NAME)

    container = await storage.container("clips")
    assert [blob.name async for blob in container.list_blobs(include=["snapshots"])] == []
    with pytest.raises(NotFound):
        await recordings.find(NAME)


async def test_a_changed_recording_is_another_version(storage: BlobAccount, http: aiohttp.ClientSession) -> None:
    """A recording whose bytes or metadata were changed by its URL is not read as the version that was found."""
    recordings = BlobRecordings(storage)
    upload = await recordings.allow_upload(NAME, soon(), in_blocks=True)
    await put(http, upload, b"abc", **BLOCK_BLOB)
    found = await recordings.find(NAME)
    assert await put(http, upload, b"", f"{upload.url}&comp=metadata", **{"x-ms-meta-a": "b"}) == 200
    with pytest.raises(Conflict) as changed:
        await recordings.read(found, 0, 3)
    assert changed.value.code == "recording-changed"
    assert (await recordings.find(NAME)).version != found.version


async def test_a_permission_is_valid_at_once(storage: BlobAccount) -> None:
    """The URL has no start, so that it is valid also when it was signed by a worker whose clock is fast."""
    upload = await BlobRecordings(storage).allow_upload(NAME, soon(), in_blocks=False)

    assert {"se", "sp", "sig"} <= set(parse_qs(urlsplit(upload.url).query))
    assert "st" not in parse_qs(urlsplit(upload.url).query)


async def test_artefacts_are_stored_by_clip(storage: BlobAccount) -> None:
    """A clip's artefacts are stored, replaced, listed and read, and deleted all together; another clip's stay."""
    artefacts, other = BlobArtefacts(storage), ClipName(NAME.user_id, "clip-10")
    await artefacts.put(NAME, "a/2.json", b"2")
    await artefacts.put(NAME, "a/1.json", b"old")
    await artefacts.put(NAME, "a/1.json", b"1")
    await artefacts.put(other, "a/1.json", b"other")

    assert await artefacts.names(NAME, "a/") == ["a/1.json", "a/2.json"]
    assert await artefacts.get(NAME, "a/1.json") == b"1"
    await artefacts.delete(NAME)
    assert await artefacts.names(NAME, "") == []
    assert await artefacts.get(other, "a/1.json") == b"other"
    with pytest.raises(NotFound) as missing:
        await artefacts.get(NAME, "a/1.json")
    assert missing.value.code == "artefact-missing"


async def test_speech_grows_until_it_is_complete(storage: BlobAccount) -> None:
    """The stored part of speech can be read at any time; when it is begun again, it is empty again."""
    speeches = BlobSpeeches(storage)
    with pytest.raises(NotFound):
        await speeches.find(SPEECH)
    await speeches.begin(SPEECH)
    await speeches.append(SPEECH, 0, b"\1\0\2\0")
    half = await speeches.find(SPEECH)
    await speeches.append(SPEECH, 4, b"\3\0")
    await speeches.finish(SPEECH)
    complete = await speeches.find(SPEECH)

    assert (half.pcm_bytes, half.complete) == (4, False)
    assert (complete.pcm_bytes, complete.complete) == (6, True)
    assert await speeches.read(SPEECH, 2, 4) == b"\2\0\3\0"
    await speeches.begin(SPEECH)
    assert (await speeches.find(SPEECH)).pcm_bytes == 0


async def test_speech_that_is_sent_twice_is_stored_once(storage: BlobAccount) -> None:
    """An append that is repeated changes nothing; one with an offset that does not fit is refused."""
    speeches = BlobSpeeches(storage)
    await speeches.begin(SPEECH)
    for _ in range(2):
        await speeches.append(SPEECH, 0, b"\1\0\2\0")

    assert (await speeches.find(SPEECH)).pcm_bytes == 4
    with pytest.raises(StageFailed):
        await speeches.append(SPEECH, 2, b"\3\0\4\0\5\0")


async def test_encoded_speech_is_stored_once(storage: BlobAccount) -> None:
    """If two workers encode the same speech, the first file stays, because players may have read a part of it."""
    speeches = BlobSpeeches(storage)
    await speeches.begin(SPEECH)
    with pytest.raises(NotFound):
        await speeches.encoded(SPEECH, "mp3")
    await asyncio.gather(*(speeches.put_encoded(SPEECH, "mp3", data) for data in (b"one", b"other")))
    size = await speeches.encoded(SPEECH, "mp3")

    assert await speeches.read_encoded(SPEECH, "mp3", 0, size) in (b"one", b"other")


async def test_speech_that_was_deleted_while_it_was_encoded_leaves_no_file(storage: BlobAccount) -> None:
    """A file that is stored after the deletion of its speech is deleted again."""
    speeches = BlobSpeeches(storage)
    await speeches.begin(SPEECH)
    await speeches.delete(SPEECH.user_id, SPEECH.conversation_id)
    with pytest.raises(NotFound):
        await speeches.put_encoded(SPEECH, "mp3", b"mp3")

    container = await storage.container("artefacts")
    assert [name async for name in container.list_blob_names()] == []


async def test_speech_is_deleted_by_turn_and_by_conversation(storage: BlobAccount) -> None:
    """Deleting a turn or a conversation deletes all speech files of it, and no others."""
    speeches = BlobSpeeches(storage)
    names = [SpeechName("ann", conversation, turn) for conversation in ("c1", "c10") for turn in ("t1", "t10")]
    for name in names:
        await speeches.begin(name)
        await speeches.put_encoded(name, "mp3", b"mp3")

    async def left() -> list[SpeechName]:
        return [name for name in names if await _is_there(speeches, name)]

    await speeches.delete("ann", "c1", "t1")
    assert await left() == names[1:]
    await speeches.delete("ann", "c1")
    assert await left() == names[2:]


async def _is_there(speeches: BlobSpeeches, name: SpeechName) -> bool:
    try:
        await speeches.find(name)
    except NotFound:
        return False
    return True


async def test_unreachable_storage_is_reported(account: Account) -> None:
    """A port on which no server listens is reported as unreachable, without its address in the detail."""
    storage = BlobAccount("http://127.0.0.1:9/nobody", credential=account.key, create=False)
    with pytest.raises(Unreachable, match="not reachable") as error:
        await BlobRecordings(storage).allow_upload(NAME, soon(), in_blocks=False)
    await storage.close()

    assert "127.0.0.1" not in error.value.detail


async def test_a_missing_container_is_a_misconfiguration(account: Account) -> None:
    """Without permission to create containers, the error says that the container is missing."""
    storage = BlobAccount(account.url, credential=account.key, create=False)
    with pytest.raises(Misconfigured, match="container"):
        await BlobRecordings(storage).allow_upload(NAME, soon(), in_blocks=False)
    with pytest.raises(Misconfigured, match="container"):
        await BlobArtefacts(storage).put(NAME, "a", b"")
    await storage.close()


async def test_a_wrong_key_is_a_misconfiguration(account: Account) -> None:
    """Storage that refuses the key is reported as misconfigured, not as unreachable."""
    storage = BlobAccount(account.url, credential="bm9wZQ==", create=False)
    with pytest.raises(Misconfigured, match="key or identity"):
        await storage.check()
    await storage.close()
