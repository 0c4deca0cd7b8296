"""Responses of Blob storage that are valid HTTP but do not fit the request: each is a failure of the stage."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from fakes.fault_wire import Fault, Wire, wire
from tests.conftest import Account
from voice_core.adapters.blob_storage.account import BlobAccount
from voice_core.adapters.blob_storage.artefacts import BlobArtefacts
from voice_core.adapters.blob_storage.recordings import BlobRecordings
from voice_core.adapters.blob_storage.speeches import BlobSpeeches
from voice_core.domain.clip import ClipName, Recording
from voice_core.domain.errors import StageFailed, Throttled
from voice_core.domain.speech import SpeechName

NAME = ClipName("ann", "clip-1")
SPEECH = SpeechName("ann", "c1", "t1")
XML = (("Content-Type", "application/xml"),)
JSON = (("Content-Type", "application/json"),)
NEST = b"[" * 100_000
DTD = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "a"><!ENTITY b "&a;&a;">]><Error><Code>&b;</Code></Error>'


@dataclass
class StoredBlobs:
    """An account with an artefact, a name for a recording in it, and the wire to the account."""

    account: BlobAccount
    wire: Wire
    recording: Recording


Call = Callable[[StoredBlobs], Awaitable[object]]

CALLS: dict[str, Call] = {
    "find a recording": lambda it: BlobRecordings(it.account).find(NAME),
    "read a recording": lambda it: BlobRecordings(it.account).read(it.recording, 0, 3),
    "get an artefact": lambda it: BlobArtefacts(it.account).get(NAME, "a"),
    "list artefacts": lambda it: BlobArtefacts(it.account).names(NAME, ""),
    "begin speech": lambda it: BlobSpeeches(it.account).begin(SPEECH),
    "find speech": lambda it: BlobSpeeches(it.account).find(SPEECH),
    "read speech": lambda it: BlobSpeeches(it.account).read(SPEECH, 0, 4),
}

ODD = {
    "compressed": Fault("", status=200, headers=(*XML, ("Content-Encoding", "gzip")), body=b"zzz"),
    "a nest": Fault("", status=500, headers=JSON, body=NEST),
    "a DTD": Fault("", status=500, headers=XML, body=DTD),
    "a redirect": Fault("", status=302, headers=(("Location", "http://127.0.0.1:1/"),)),
}


@pytest.fixture
async def stored(account: Account) -> AsyncIterator[StoredBlobs]:
    async with wire(account.url) as there:
        storage = BlobAccount(there.at(account.url), credential=account.key, create=True)
        await BlobRecordings(storage).allow_upload(NAME, datetime.now(UTC) + timedelta(minutes=1), in_blocks=False)
        await BlobArtefacts(storage).put(NAME, "a", b"artefact")
        yield StoredBlobs(storage, there, Recording(NAME, '"1"', 3))
        await storage.close()


async def failure_of(result: Awaitable[object]) -> StageFailed:
    """The error with which *result* fails."""
    with pytest.raises(StageFailed) as caught:
        await result
    assert caught.value.stage == "storage"
    return caught.value


@pytest.mark.parametrize("fault", ODD.values(), ids=ODD)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_an_unexpected_response_is_a_failure(stored: StoredBlobs, call: Call, fault: Fault) -> None:
    """The call fails as retryable, without a stray exception, and no request is made elsewhere."""
    await stored.wire.break_with(fault)
    error = await failure_of(call(stored))
    assert type(error) is StageFailed
    assert error.retryable


@pytest.mark.parametrize("call", [call for name, call in CALLS.items() if name != "begin speech"])
async def test_an_empty_response_is_a_failure(stored: StoredBlobs, call: Call) -> None:
    """An empty response to a read is a retryable failure, and is not taken for empty content."""
    await stored.wire.break_with(Fault("", status=200))
    assert (await failure_of(call(stored))).retryable


async def test_speech_knows_no_version(stored: StoredBlobs) -> None:
    """A 412 to a write of speech is a failure of storage, not a conflict about a recording."""
    await stored.wire.break_with(Fault("", status=412))
    assert type(await failure_of(BlobSpeeches(stored.account).begin(SPEECH))) is StageFailed


async def test_a_throttle_with_an_invalid_time_names_none(stored: StoredBlobs) -> None:
    """A throttle with an absurdly long wait is reported as a throttle, without seconds to wait."""
    await stored.wire.break_with(Fault("", status=429, headers=(("Retry-After", "9" * 400),)))
    error = await failure_of(BlobSpeeches(stored.account).begin(SPEECH))
    assert isinstance(error, Throttled)
    assert error.retry_after is None
