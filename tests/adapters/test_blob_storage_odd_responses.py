"""What callers hear when Blob storage answers in good form, and not what it was asked."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import Account
from tests.faults.wire import Fault, Wire, wire
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
class Stored:
    """A recording, an artefact and speech, and the wire to them."""

    account: BlobAccount
    wire: Wire
    recording: Recording


Ask = Callable[[Stored], Awaitable[object]]

ASKS: dict[str, Ask] = {
    "find a recording": lambda it: BlobRecordings(it.account).find(NAME),
    "read a recording": lambda it: BlobRecordings(it.account).read(it.recording, 0, 3),
    "get an artefact": lambda it: BlobArtefacts(it.account).get(NAME, "a"),
    "list artefacts": lambda it: BlobArtefacts(it.account).names(NAME, ""),
    "begin speech": lambda it: BlobSpeeches(it.account).begin(SPEECH),
    "find speech": lambda it: BlobSpeeches(it.account).find(SPEECH),
    "read speech": lambda it: BlobSpeeches(it.account).read(SPEECH, 0, 4),
}

ODD = {
    "packed": Fault("", status=200, headers=(*XML, ("Content-Encoding", "gzip")), body=b"zzz"),
    "a nest": Fault("", status=500, headers=JSON, body=NEST),
    "a DTD": Fault("", status=500, headers=XML, body=DTD),
    "a redirect": Fault("", status=302, headers=(("Location", "http://127.0.0.1:1/"),)),
}


@pytest.fixture
async def stored(account: Account) -> AsyncIterator[Stored]:
    async with wire(account.url) as there:
        storage = BlobAccount(there.at(account.url), credential=account.key, create=True)
        await BlobRecordings(storage).slot(NAME, datetime.now(UTC) + timedelta(minutes=1), in_blocks=False)
        await BlobArtefacts(storage).put(NAME, "a", b"artefact")
        yield Stored(storage, there, Recording(NAME, '"1"', 3))
        await storage.close()


async def failing(asked: Awaitable[object]) -> StageFailed:
    with pytest.raises(StageFailed) as caught:
        await asked
    assert caught.value.stage == "storage"
    return caught.value


@pytest.mark.parametrize("fault", ODD.values(), ids=ODD)
@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
async def test_what_was_not_asked_is_a_failure(stored: Stored, ask: Ask, fault: Fault) -> None:
    """It is no stray exception, and may be tried again; nothing is asked elsewhere."""
    await stored.wire.break_with(fault)
    error = await failing(ask(stored))
    assert type(error) is StageFailed
    assert error.retryable


@pytest.mark.parametrize("ask", [ask for name, ask in ASKS.items() if name != "begin speech"])
async def test_an_empty_answer_is_a_failure(stored: Stored, ask: Ask) -> None:
    """Of what was to be read it is not taken for all there is."""
    await stored.wire.break_with(Fault("", status=200))
    assert (await failing(ask(stored))).retryable


async def test_speech_knows_no_version(stored: Stored) -> None:
    """Another's condition that fails is a failure of storage, and not about a recording."""
    await stored.wire.break_with(Fault("", status=412))
    assert type(await failing(BlobSpeeches(stored.account).begin(SPEECH))) is StageFailed


async def test_an_endless_throttle_names_no_time(stored: Stored) -> None:
    """Told as a throttle, without seconds to wait."""
    await stored.wire.break_with(Fault("", status=429, headers=(("Retry-After", "9" * 400),)))
    error = await failing(BlobSpeeches(stored.account).begin(SPEECH))
    assert isinstance(error, Throttled)
    assert error.retry_after is None
