"""A turn that is taken once: who may take it, for how long, and what happens when that cannot be kept track of."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from tests.eventually import eventually
from tests.idempotency_world import NAME, Asking, Life, MemoryRequests, World, ending, said_in
from tests.virtual_time import in_virtual_time
from voice_core.audio.limits import Limits
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import Conflict, KeyReused, StageFailed, TooLarge
from voice_core.domain.events import Event, SpeechDelta, TurnCreated, TurnFailed
from voice_core.domain.idempotency import RequestClaim
from voice_core.usecases.idempotency.fingerprint import Fingerprint
from voice_core.usecases.idempotency.request_lease import LeaseRules

AWAY = StageFailed("Away.", stage="requests")
SHORT = LeaseRules(seconds=0.09)
"""For claims that must run out."""
LASTING = LeaseRules(seconds=9.0)
"""For those that are renewed, every 3 s, in virtual time."""


async def test_a_turn_is_told_again() -> None:
    """Its first event says so; the words are those that are stored, its speech is spoken once more."""
    world = World(Asking(spoken=True))
    first, again = await world.ask(), await world.ask()

    assert said_in(again) == said_in(first)
    assert [event.replayed for event in (*first, *again) if isinstance(event, TurnCreated)] == [False, True]
    assert _speech_bytes(again) == _speech_bytes(first) > 0
    assert (len(world.assistant.told), world.stt.calls) == (1, 1)


def _speech_bytes(events: Sequence[Event]) -> int:
    return sum(len(event.pcm) for event in events if isinstance(event, SpeechDelta))


@pytest.mark.parametrize("failing", [0, 1])
async def test_speech_may_fail_in_either_telling(failing: int) -> None:
    """What could not be spoken then may be now; what cannot be now stands as text."""
    world, told = World(), []
    for number in range(2):
        world.tts.failure = StageFailed("Away.", stage="tts") if number == failing else None
        told.append(ending(await world.ask()))

    assert [turn.degraded for turn in told if isinstance(turn, Turn)] == [
        ("speech",) if number == failing else () for number in range(2)
    ]


def test_another_request_is_told_apart_before_and_after_the_turn() -> None:
    """While it is under way and when it is over, in whatever it differs."""
    world = World()
    world.assistant.first_seconds = 5.0

    async def mixed_up() -> None:
        first = asyncio.create_task(world.ask())
        await eventually(lambda: world.assistant.told)
        assert isinstance(ending(await world.ask(words="goodbye")), KeyReused)
        assert not first.done()
        await first
        assert isinstance(ending(await world.ask(words="goodbye")), KeyReused)

    in_virtual_time(mixed_up())
    assert len(world.assistant.told) == 1


def test_a_worker_that_lives_keeps_its_turn() -> None:
    """It is heard of again and again, through a store that fails for a moment; whoever asks is told to wait."""
    world = World(rules=LASTING)
    world.assistant.first_seconds = 14.0

    async def renewed() -> int:
        """How often it was, 3 s later by every clock."""
        world.requests.age(3.0)
        await asyncio.sleep(3.0)
        return world.requests.asked["replace"]

    async def lives() -> None:
        first = asyncio.create_task(world.ask())
        await eventually(lambda: world.assistant.told)
        assert await renewed() == 1
        world.requests.failure = AWAY
        assert await renewed() == 2
        world.requests.failure = None
        assert [await renewed(), await renewed()] == [3, 4]
        error = ending(await world.ask())
        assert isinstance(error, Conflict)
        assert error.retry_after is not None
        assert 0 < error.retry_after <= LASTING.seconds
        assert said_in(await first) == said_in(await world.ask())

    in_virtual_time(lives())
    assert len(world.assistant.told) == 1


async def test_a_worker_that_was_replaced_stores_nothing() -> None:
    """It finds out before it would."""
    world = World(rules=SHORT)
    world.assistant.first_seconds = 0.2
    late = asyncio.create_task(world.ask())
    await eventually(lambda: world.assistant.told)
    thief = world.requests.kept[NAME].changed(worker="thief")
    world.requests.kept[NAME] = thief.changed(etag="stolen")
    error = ending(await late)

    assert isinstance(error, Conflict)
    assert error.code == "idempotency-running"
    assert not world.stored
    assert world.requests.kept[NAME].worker == "thief"


async def test_a_worker_whose_claim_is_gone_stores_nothing() -> None:
    """Somebody took over, failed, and gave it back: then whoever asks next is answered."""
    world = World(rules=SHORT)
    world.assistant.first_seconds = 0.2
    late = asyncio.create_task(world.ask())
    await eventually(lambda: world.assistant.told)
    world.requests.kept.clear()

    assert isinstance(ending(await late), Conflict)
    assert not world.stored
    world.assistant.first_seconds = 0.0
    assert isinstance(ending(await world.ask()), Turn)


async def test_a_turn_that_fails_may_be_asked_for_at_once() -> None:
    """The right to answer is given back before the failure is told."""
    world = World()
    world.assistant.failure = StageFailed("Away.", stage="assistant")
    async for event in world.turn(Life(), "hello"):
        if isinstance(event, TurnFailed):
            assert not world.requests.kept
    world.assistant.failure = None

    assert isinstance(ending(await world.ask()), Turn)


async def test_a_turn_that_could_not_be_stored_is_taken_anew() -> None:
    """It was answered and is lost: nothing could be told again."""
    world = World()
    world.conversations.failure = StageFailed("Away.", stage="conversations")
    lost = ending(await world.ask())
    assert isinstance(lost, Turn)
    assert lost.degraded == ("conversation",)
    world.conversations.failure = None

    assert said_in(await world.ask()) == said_in(await world.ask())
    assert len(world.assistant.told) == 2


async def test_without_the_store_of_requests_turns_go_on() -> None:
    """Unprotected, and saying so; what is stored already is told again even then."""
    world = World()
    world.requests.failure = AWAY
    first, again = await world.ask(), await world.ask()

    turn = ending(first)
    assert isinstance(turn, Turn)
    assert turn.degraded == ("idempotency",)
    assert said_in(again) == said_in(first)
    assert len(world.assistant.told) == 1
    assert isinstance(ending(await world.ask(words="goodbye")), KeyReused)


async def test_without_both_stores_turns_go_on() -> None:
    """Nothing can be known then, and nothing kept."""
    world = World()
    world.requests.failure, world.conversations.failure = AWAY, StageFailed("Away.", stage="conversations")
    turn = ending(await world.ask())

    assert isinstance(turn, Turn)
    assert turn.degraded == ("idempotency", "conversation")


async def test_a_retry_is_not_answered_anew_while_nobody_can_tell() -> None:
    """Where the request is known and the conversation away, the turn may be stored: that is no time for another."""
    world = World()
    await world.ask()
    world.conversations.failure = StageFailed("Away.", stage="conversations")
    error = ending(await world.ask())

    assert isinstance(error, StageFailed)
    assert error.stage == "conversations"
    assert len(world.assistant.told) == 1


class Forgetful(MemoryRequests):
    """Its answers to what changes something are lost, and the SDK asks again."""

    async def add(self, request: RequestClaim) -> RequestClaim:
        await super().add(request)
        return await super().add(request)

    async def replace(self, request: RequestClaim) -> RequestClaim:
        await super().replace(request)
        return await super().replace(request)


def test_a_lost_answer_of_the_store_loses_no_right() -> None:
    """Whoever finds itself in the way goes on."""
    world = World(requests=Forgetful(), rules=LASTING)
    world.assistant.first_seconds = 14.0

    assert isinstance(ending(in_virtual_time(world.ask())), Turn)
    assert world.requests.asked["replace"] > 2
    assert len(world.assistant.told) == 1


async def chunks(*data: bytes) -> AsyncGenerator[bytes]:
    for each in data:
        yield each


async def test_a_fingerprint_is_of_the_whole_request() -> None:
    """However it is cut, and whoever reads it first; another key, word or byte makes another."""
    prints = [
        Fingerprint("k", "words", chunks(b"ab", b"c")),
        Fingerprint("k", "words", chunks(b"a", b"bc")),
        Fingerprint("l", "words", chunks(b"abc")),
        Fingerprint("k", "word", chunks(b"sabc")),
        Fingerprint("k", "words", chunks(b"abd")),
        Fingerprint("k", "words"),
    ]
    assert await anext(prints[1]) == b"a"
    wholes = [await each.whole() for each in prints]

    assert wholes[0] == wholes[1]
    assert len(set(wholes)) == 5
    assert len({each.words_digest for each in prints}) == 3


async def test_a_fingerprint_is_of_no_more_than_may_be_sent() -> None:
    """A retry that never ends is refused, though nobody decodes it."""
    endless = Fingerprint("k", "words", chunks(bytes(60), bytes(60)), Limits(max_bytes=100))
    with pytest.raises(TooLarge):
        await endless.whole()
