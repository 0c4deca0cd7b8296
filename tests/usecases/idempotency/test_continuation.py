"""A turn that goes on: after a disconnect, on another worker, and for a client that has received a part of it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest

from fakes.eventually import eventually
from tests.idempotency_world import RULES, Life, RequestUnderTest, World, ending
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import StageFailed
from voice_core.domain.events import Event, ReplyDelta, ReplyRestarted, SpeechDelta, TranscriptDone
from voice_core.domain.position import Position
from voice_core.usecases.idempotency.resume import resume

REQUESTS = {
    "typed": RequestUnderTest(),
    "spoken": RequestUnderTest(spoken=True),
    "speech file": RequestUnderTest(spoken=True, speech_file=True),
}


@dataclass
class Client:
    """A client that puts together what it receives, over several connections."""

    received: Position = field(default_factory=Position)
    reply: str = ""
    sentences: list[str] = field(default_factory=list)
    pcm: bytearray = field(default_factory=bytearray)
    restarts: int = 0
    end: Turn | None = None

    def add(self, event: Event) -> None:
        self.received = self.received.after(event)
        match event:
            case ReplyRestarted():
                self.reply, self.sentences, self.pcm = "", [], bytearray()
                self.restarts += 1
            case ReplyDelta(text):
                self.reply += text
            case SpeechDelta(pcm, _, sentence):
                self.sentences += [sentence] if sentence else []
                self.pcm += pcm
            case _:
                pass

    async def read(self, events: AsyncGenerator[Event], most: int | None = None) -> list[Event]:
        """Add *most* of *events*, and leave."""
        read: list[Event] = []
        async with aclosing(events):
            async for event in events:
                if len(read) == most:
                    break
                read.append(event)
                self.add(event)
        return read


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_disconnect_at_any_event_does_not_end_the_turn(name: str) -> None:
    """The turn is stored complete, and the client that resumes gets the rest of the same words and the same speech."""
    whole = Client()
    connections = await whole.read(World(REQUESTS[name]).turn(Life(), "hello"))
    for count in range(len(connections) + 1):
        world, client = World(REQUESTS[name]), Client()
        await client.read(world.turn(Life(), "hello"), count)
        assert [turn.interrupted for turn in world.stored] == [False]
        rest = await client.read(world.turn(Life(), "hello", client.received))

        assert isinstance(ending(rest), Turn)
        assert (client.reply, client.sentences) == (whole.reply, whole.sentences), count
        assert len(client.pcm) == len(whole.pcm), count
        assert client.reply == world.stored[0].reply
        assert client.restarts == 0
        assert (len(world.assistant.requests), world.stt.calls) == (1, world.request.spoken)


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_dead_worker_costs_no_completed_round(name: str) -> None:
    """Whatever the journal has is neither recognised nor written again, and no sentence reaches the client twice."""
    step = 0
    while True:
        step += 1
        world, client = World(REQUESTS[name]), Client()
        life = Life(dies_at=step)
        await life.live(_record(client, world, life))
        if not life.dead:
            break
        journal = next((claim.journal for claim in world.requests.claims.values()), None)
        known = bool(journal and journal.transcript), bool(journal and journal.rounds)
        calls = world.stt.calls, len(world.assistant.requests)
        world.requests.age(RULES.seconds)
        rest = await client.read(world.turn(Life(), "hello", client.received))

        assert isinstance(ending(rest), Turn), step
        assert client.reply == world.stored[0].reply, step
        assert len(client.sentences) in (0, 3), step
        assert not (known[0] and world.stt.calls > calls[0]), step
        assert not (known[1] and len(world.assistant.requests) > calls[1]), step
        assert not (known[1] and client.restarts), step
    assert step > 50


async def _record(client: Client, world: World, life: Life) -> None:
    async for event in world.turn(life, "hello"):
        client.add(event)


async def test_a_reply_that_starts_over_is_reported() -> None:
    """The words of a worker that died before its reply was complete are replaced, also for a client that has them."""
    world, client = World(), Client()
    world.assistant.hangs_after = 5
    life = Life()
    working = asyncio.create_task(life.live(_record(client, world, life)))
    await eventually(lambda: client.reply)
    life.die()
    await working
    before = client.reply
    world.assistant.hangs_after = None
    world.requests.age(RULES.seconds)
    await client.read(world.turn(Life(), "hello", client.received))

    assert before
    assert not client.reply.startswith(before)
    assert client.restarts == 1
    assert client.reply == world.stored[0].reply


async def test_a_failed_stage_does_not_cost_the_stages_before() -> None:
    """A retry after the assistant failed does not recognise the utterance again."""
    world = World(RequestUnderTest(spoken=True))
    world.assistant.failure = StageFailed("Away.", stage="assistant")
    await world.ask()
    world.assistant.failure = None

    events = await world.ask()
    assert isinstance(ending(events), Turn)
    assert [event.transcript.text for event in events if isinstance(event, TranscriptDone)] == [
        world.stored[0].transcript
    ]
    assert world.stt.calls == 1


async def test_several_clients_follow_one_turn() -> None:
    """A second connection to the worker of a running turn gets all of its events, and no second turn is taken."""
    world, life = World(), Life()
    world.assistant.hangs_after = 5
    first, second = Client(), Client()
    connections = [asyncio.create_task(first.read(world.turn(life, "hello")))]
    await eventually(lambda: first.reply)
    connections.append(asyncio.create_task(second.read(world.turn(life, "hello"))))
    await eventually(lambda: second.reply == first.reply)
    world.assistant.goes_on.set()
    await asyncio.gather(*connections)

    assert first == second
    assert len(world.assistant.requests) == 1


def test_a_position_is_read_as_it_was_written() -> None:
    """Its text names it, and any other text names none."""
    position = Position().after(ReplyDelta("Grüße. ")).after(SpeechDelta(bytes(480), 0, "Grüße."))

    assert Position.parse(str(position)) == position
    assert [Position.parse(text) for text in ("", "7", "1-2-3-4", "1-00000000-1", f"{position}x")] == [None] * 5


@pytest.mark.parametrize("cut", range(1, 12))
async def test_the_rest_begins_where_the_client_is(cut: int) -> None:
    """The words and the samples that a client has, cut anywhere, and the rest of them, are the whole."""
    events: Sequence[Event] = [
        ReplyDelta("One. "),
        SpeechDelta(bytes(range(6)), 0, "One."),
        SpeechDelta(bytes(range(6, 10)), 1),
        ReplyDelta("Two."),
        SpeechDelta(bytes(range(10, 14)), 2, "Two."),
    ]
    half = [ReplyDelta("One. Tw"[:cut])] if cut <= 7 else [*events[:4], SpeechDelta(bytes(range(10, 12)), 2, "Two.")]
    client = Client()
    for event in half:
        client.add(event)
    await client.read(resume(_given(events), client.received, reply="One. Two."))

    assert client.reply == "One. Two."
    assert client.pcm == bytes(range(14))


async def _given(events: Sequence[Event]) -> AsyncGenerator[Event]:
    for event in events:
        yield event
