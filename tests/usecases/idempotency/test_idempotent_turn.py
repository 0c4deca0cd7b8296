"""A turn that is taken once: the lease of its worker, and turns while the stores are unavailable."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from fakes.eventually import eventually
from tests.idempotency_world import NAME, Life, MemoryRequests, RequestUnderTest, World, ending, words_in
from tests.virtual_time import in_virtual_time
from voice_core.audio.limits import Limits
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import Conflict, KeyReused, StageFailed, TooLarge
from voice_core.domain.events import Event, SpeechDelta, TurnCreated, TurnFailed
from voice_core.domain.idempotency import RequestClaim
from voice_core.usecases.idempotency.fingerprint import Fingerprint
from voice_core.usecases.idempotency.request_lease import LeaseRules

UNAVAILABLE = StageFailed("Away.", stage="requests")
SHORT = LeaseRules(seconds=0.09)
"""Rules for leases that must expire."""
LASTING = LeaseRules(seconds=9.0)
"""Rules for leases that are renewed, every 3 s, in virtual time."""


async def test_a_turn_is_replayed() -> None:
    """A replay is marked in its first event, has the stored words, and its speech is synthesised again."""
    world = World(RequestUnderTest(spoken=True))
    first, again = await world.ask(), await world.ask()

    assert words_in(again) == words_in(first)
    assert [event.replayed for event in (*first, *again) if isinstance(event, TurnCreated)] == [False, True]
    assert _speech_bytes(again) == _speech_bytes(first) > 0
    assert (len(world.assistant.requests), world.stt.calls) == (1, 1)


def _speech_bytes(events: Sequence[Event]) -> int:
    return sum(len(event.pcm) for event in events if isinstance(event, SpeechDelta))


@pytest.mark.parametrize("failing", [0, 1])
async def test_speech_may_fail_in_the_turn_or_its_replay(failing: int) -> None:
    """Speech that failed in the turn may succeed in the replay, and the other way round; the text stands."""
    world, endings = World(), []
    for number in range(2):
        world.tts.failure = StageFailed("Away.", stage="tts") if number == failing else None
        endings.append(ending(await world.ask()))

    assert [turn.degraded for turn in endings if isinstance(turn, Turn)] == [
        ("speech",) if number == failing else () for number in range(2)
    ]


def test_another_request_under_the_same_key_is_refused() -> None:
    """A different request under the same key is refused while the turn is in progress and after it."""
    world = World()
    world.assistant.first_seconds = 5.0

    async def mixed_up() -> None:
        first = asyncio.create_task(world.ask())
        await eventually(lambda: world.assistant.requests)
        assert isinstance(ending(await world.ask(words="goodbye")), KeyReused)
        assert not first.done()
        await first
        assert isinstance(ending(await world.ask(words="goodbye")), KeyReused)

    in_virtual_time(mixed_up())
    assert len(world.assistant.requests) == 1


def test_a_live_worker_keeps_its_lease() -> None:
    """The lease is renewed, also after the store has failed for a moment; a repeated request gets a retry time."""
    world = World(rules=LASTING)
    world.assistant.first_seconds = 14.0

    async def renewed() -> int:
        """The number of renewals 3 s later, by every clock."""
        world.requests.age(3.0)
        await asyncio.sleep(3.0)
        return world.requests.calls["replace"]

    async def lives() -> None:
        first = asyncio.create_task(world.ask())
        await eventually(lambda: world.assistant.requests)
        assert await renewed() == 1
        world.requests.failure = UNAVAILABLE
        assert await renewed() == 2
        world.requests.failure = None
        assert [await renewed(), await renewed()] == [3, 4]
        error = ending(await world.ask())
        assert isinstance(error, Conflict)
        assert error.retry_after is not None
        assert 0 < error.retry_after <= LASTING.seconds
        assert words_in(await first) == words_in(await world.ask())

    in_virtual_time(lives())
    assert len(world.assistant.requests) == 1


async def test_a_worker_that_lost_its_lease_stores_nothing() -> None:
    """A worker notices before it stores the turn that another worker took its lease over."""
    world = World(rules=SHORT)
    world.assistant.first_seconds = 0.2
    working = asyncio.create_task(world.ask())
    await eventually(lambda: world.assistant.requests)
    thief = world.requests.claims[NAME].changed(worker="thief")
    world.requests.claims[NAME] = thief.changed(etag="stolen")
    error = ending(await working)

    assert isinstance(error, Conflict)
    assert error.code == "idempotency-running"
    assert not world.stored
    assert world.requests.claims[NAME].worker == "thief"


async def test_a_worker_whose_claim_is_gone_stores_nothing() -> None:
    """When another worker took the lease over, failed and released it, the next request is answered."""
    world = World(rules=SHORT)
    world.assistant.first_seconds = 0.2
    working = asyncio.create_task(world.ask())
    await eventually(lambda: world.assistant.requests)
    world.requests.claims.clear()

    assert isinstance(ending(await working), Conflict)
    assert not world.stored
    world.assistant.first_seconds = 0.0
    assert isinstance(ending(await world.ask()), Turn)


async def test_a_turn_that_failed_may_be_retried_at_once() -> None:
    """The lease is released before the failure is delivered."""
    world = World()
    world.assistant.failure = StageFailed("Away.", stage="assistant")
    async for event in world.turn(Life(), "hello"):
        if isinstance(event, TurnFailed):
            assert not world.requests.claims
    world.assistant.failure = None

    assert isinstance(ending(await world.ask()), Turn)


async def test_a_turn_that_could_not_be_stored_is_stored_by_a_retry() -> None:
    """A reply that was delivered and not stored is in the journal: a retry delivers and stores the same words."""
    world = World()
    world.conversations.failure = StageFailed("Away.", stage="conversations")
    lost = ending(await world.ask())
    assert isinstance(lost, Turn)
    assert lost.degraded == ("conversation",)
    world.conversations.failure = None

    assert words_in(await world.ask()) == words_in(await world.ask())
    assert [turn.reply for turn in world.stored] == [lost.reply]
    assert len(world.assistant.requests) == 1


async def test_turns_are_taken_without_the_store_of_requests() -> None:
    """Turns are taken without protection and marked as degraded; a stored turn is replayed even then."""
    world = World()
    world.requests.failure = UNAVAILABLE
    first, again = await world.ask(), await world.ask()

    turn = ending(first)
    assert isinstance(turn, Turn)
    assert turn.degraded == ("idempotency",)
    assert words_in(again) == words_in(first)
    assert len(world.assistant.requests) == 1
    assert isinstance(ending(await world.ask(words="goodbye")), KeyReused)


async def test_turns_are_taken_without_both_stores() -> None:
    """Turns are taken while nothing can be read or stored, and are marked as degraded in both."""
    world = World()
    world.requests.failure, world.conversations.failure = UNAVAILABLE, StageFailed("Away.", stage="conversations")
    turn = ending(await world.ask())

    assert isinstance(turn, Turn)
    assert turn.degraded == ("idempotency", "conversation")


async def test_a_retry_fails_while_the_turn_cannot_be_looked_up() -> None:
    """A known request is not processed again while its conversation is unavailable, because its turn may be stored."""
    world = World()
    await world.ask()
    world.conversations.failure = StageFailed("Away.", stage="conversations")
    error = ending(await world.ask())

    assert isinstance(error, StageFailed)
    assert error.stage == "conversations"
    assert len(world.assistant.requests) == 1


class LossyRequests(MemoryRequests):
    """A store whose responses to writes are lost, so that the SDK sends each write again."""

    async def add(self, request: RequestClaim) -> RequestClaim:
        await super().add(request)
        return await super().add(request)

    async def replace(self, request: RequestClaim) -> RequestClaim:
        await super().replace(request)
        return await super().replace(request)


def test_a_lost_response_of_the_store_loses_no_lease() -> None:
    """A worker that finds its own claim in the store continues."""
    world = World(requests=LossyRequests(), rules=LASTING)
    world.assistant.first_seconds = 14.0

    assert isinstance(ending(in_virtual_time(world.ask())), Turn)
    assert world.requests.calls["replace"] > 2
    assert len(world.assistant.requests) == 1


async def chunks(*data: bytes) -> AsyncGenerator[bytes]:
    for each in data:
        yield each


async def test_a_fingerprint_covers_the_complete_request() -> None:
    """The digest does not depend on the chunks of the upload or on its reader; another key, word or byte changes it."""
    prints = [
        Fingerprint("k", "words", chunks(b"ab", b"c")),
        Fingerprint("k", "words", chunks(b"a", b"bc")),
        Fingerprint("l", "words", chunks(b"abc")),
        Fingerprint("k", "word", chunks(b"sabc")),
        Fingerprint("k", "words", chunks(b"abd")),
        Fingerprint("k", "words"),
    ]
    assert await anext(prints[1]) == b"a"
    digests = [await each.digest() for each in prints]

    assert digests[0] == digests[1]
    assert len(set(digests)) == 5
    assert len({each.words_digest for each in prints}) == 3


async def test_a_fingerprint_reads_no_more_than_the_limit() -> None:
    """A retry with an endless upload is refused, although its sound is not decoded."""
    endless = Fingerprint("k", "words", chunks(bytes(60), bytes(60)), Limits(max_bytes=100))
    with pytest.raises(TooLarge):
        await endless.digest()
