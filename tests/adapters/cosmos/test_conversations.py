"""Conversations in Cosmos: what is remembered, for whom, in what order, and what is forgotten."""

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.cosmos.aio import CosmosClient

from emulators.cosmos import LOCAL_KEY, cosmos_app
from emulators.script import Script, Step
from emulators.serving import serving
from tests.adapters.cosmos.writing import TTL_SECONDS, documents, numbers, opened, remember, turn
from tests.clock import Clock
from voice_core.adapters.cosmos import CosmosConversations
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import InvalidInput, NotFound
from voice_core.ports.conversations import Conversations
from voice_core.ports.providers import Checkable


def test_it_is_what_the_ports_ask_for() -> None:
    """The adapter has the methods that the use cases call; mypy looks at their types here."""
    store = opened("http://127.0.0.1:1")
    conversations: Conversations = store
    checkable: Checkable = store
    assert (conversations, checkable) == (store, store)


async def test_a_conversation_that_begins_while_it_is_read_is_read_whole(
    store: CosmosConversations, script: Script
) -> None:
    """Its header and its turns are read at the same time: a header without turns is looked at once more."""
    await remember(store, 1)
    script.add("query", Step(body='{"_rid": "", "Documents": [], "_count": 0}'))

    assert len((await store.turns("u", "c", 3, None)).items) == 1


async def test_a_turn_is_remembered_whole(store: CosmosConversations) -> None:
    """Every field of a turn comes back as it was, foreign letters and microseconds included."""
    whole = Turn(
        id="t 1%é",
        conversation_id="c_-9",
        transcript="¿Qué tal? 日本",
        reply="",
        created_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        spoken=False,
        language="es-ES",
        interrupted=True,
        degraded=("speech",),
        timings={"stt": 120, "assistant": 900},
        clip_id="clip1",
        confidence=0.875,
        utterance_ms=1200,
        fingerprint="f" * 64,
    )
    await store.append("u", whole)
    assert await store.recent("u", "c_-9", 5) == [whole]


async def test_recent_gives_the_last_turns_oldest_first(store: CosmosConversations) -> None:
    """Of many turns the last few come, in the order they were taken; of few, all."""
    await remember(store, 5)
    assert numbers(await store.recent("u", "c", 3)) == [3, 4, 5]
    assert numbers(await store.recent("u", "c", 50)) == [1, 2, 3, 4, 5]


async def test_recent_may_be_many(store: CosmosConversations) -> None:
    """More turns than the service puts on a page still come all, in order."""
    await remember(store, 130)
    assert numbers(await store.recent("u", "c", 120)) == list(range(11, 131))


async def test_an_unknown_conversation_is_not_found(store: CosmosConversations) -> None:
    """Neither recent nor turns make up a conversation; to delete it succeeds."""
    for asked in (store.recent("u", "none", 3), store.turns("u", "none", 3, None)):
        with pytest.raises(NotFound) as caught:
            await asked
        assert caught.value.code == "conversation-not-found"
    await store.delete("u", "none")


async def test_users_do_not_meet(store: CosmosConversations) -> None:
    """Another user's conversation cannot be read, listed, continued or deleted, even of the same id."""
    await store.append("u", turn(1))
    with pytest.raises(NotFound):
        await store.recent("v", "c", 3)
    assert (await store.list("v", 10, None)).items == ()
    await store.append("v", turn(2))
    await store.delete("v", "c")
    assert numbers(await store.recent("u", "c", 3)) == [1]


async def test_a_turn_is_stored_once(store: CosmosConversations) -> None:
    """Appending a turn again, also at the same time, changes nothing."""
    await asyncio.gather(*(store.append("u", turn(1)) for _ in range(5)))
    await store.append("u", replace(turn(1), reply="another"))
    assert await store.recent("u", "c", 9) == [turn(1)]
    assert (await store.list("u", 9, None)).items[0].turn_count == 1


async def test_a_turn_that_was_interrupted_gives_way(store: CosmosConversations, url: str) -> None:
    """A turn of the same id takes its place in the conversation, once it is there whole; then it stays."""
    await remember(store, 1)
    broken, whole = replace(turn(2), reply="", interrupted=True), turn(2)
    await store.append("u", broken)
    await store.append("u", turn(3))

    assert await store.append("u", whole)
    assert await store.append("u", whole)
    assert not await store.append("u", replace(whole, reply="another"))
    assert not await store.append("u", broken)
    assert await store.recent("u", "c", 9) == [turn(1), turn(2), turn(3)]
    stored = await documents(url)
    assert [document["turnCount"] for document in stored if document["type"] == "conversation"] == [3]


async def test_an_interrupted_turn_gives_way_to_one_of_many(store: CosmosConversations) -> None:
    """Of several at once that would take its place, one does, and the others are told so."""
    await store.append("u", replace(turn(1), interrupted=True))
    rivals = [replace(turn(1), reply=f"reply {number}") for number in range(4)]
    kept = await asyncio.gather(*(store.append("u", rival) for rival in rivals))

    assert sorted(kept) == [False, False, False, True]
    assert await store.recent("u", "c", 9) == [rivals[kept.index(True)]]


async def test_one_turn_can_be_read(store: CosmosConversations) -> None:
    """By its id, in its own conversation only, and not once that is deleted."""
    await remember(store, 2)
    assert await store.turn("u", "c", "t2") == turn(2)
    for user, conversation, name in (("u", "c", "t3"), ("u", "d", "t2"), ("v", "c", "t2")):
        with pytest.raises(NotFound) as caught:
            await store.turn(user, conversation, name)
        assert caught.value.code == "turn-not-found"
    await store.delete("u", "c")
    with pytest.raises(NotFound):
        await store.turn("u", "c", "t2")


async def test_a_turn_whose_answer_was_lost_is_stored_once(store: CosmosConversations, script: Script) -> None:
    """When the connection is cut after the commit, the append that is tried again finds the turn there."""
    await store.check()
    script.add("batch", Step(drop_after=1))
    await store.append("u", turn(1))
    assert numbers(await store.recent("u", "c", 9)) == [1]
    assert len([entry for entry in script.served if entry.operation == "batch"]) == 2


async def test_fifty_appends_at_once_all_land(store: CosmosConversations, url: str) -> None:
    """Turns that end together in one conversation get the places 1 to 50, each one, and the header counts them."""
    await asyncio.gather(*(store.append("u", turn(number)) for number in range(50)))
    stored = await documents(url)
    assert sorted(document["seq"] for document in stored if document["type"] == "turn") == list(range(1, 51))
    assert [document["turnCount"] for document in stored if document["type"] == "conversation"] == [50]


async def test_instances_append_to_one_conversation_together(url: str) -> None:
    """Four instances of the app, which share no lock, still number the turns without gap or double."""
    stores = [opened(url) for _ in range(4)]
    await asyncio.gather(*(stores[number % 4].append("u", turn(number)) for number in range(20)))
    for store in stores:
        await store.close()
    stored = await documents(url)
    assert sorted(document["seq"] for document in stored if document["type"] == "turn") == list(range(1, 21))


@pytest.mark.parametrize("conversation", ["", "a/b", "a:b", "é", "x" * 65, "a?", "a\n"])
async def test_an_id_that_cannot_be_one_is_refused(store: CosmosConversations, conversation: str) -> None:
    """No id of a caller's can reach another document: it is invalid before anything is asked."""
    for asked in (
        store.append("u", turn(1, conversation)),
        store.recent("u", conversation, 1),
        store.turns("u", conversation, 1, None),
        store.delete("u", conversation),
    ):
        with pytest.raises(InvalidInput):
            await asked


@pytest.mark.parametrize("name", ["", "a/b", "a#b", "a\n", "x" * 256])
async def test_a_turn_id_that_cannot_be_one_is_refused(store: CosmosConversations, name: str) -> None:
    """A turn whose id the service would not take is invalid input."""
    with pytest.raises(InvalidInput):
        await store.append("u", replace(turn(1), id=name))


async def test_a_conversation_lives_on_after_each_turn_but_its_turns_do_not(
    store: CosmosConversations, clock: Clock
) -> None:
    """A turn is forgotten its time after it was stored, the conversation its time after the last turn."""
    await store.append("u", turn(1))
    clock.now += TTL_SECONDS - 1
    await store.append("u", turn(2))
    clock.now += 1
    assert numbers(await store.recent("u", "c", 9)) == [2]
    assert len((await store.list("u", 9, None)).items) == 1
    clock.now += TTL_SECONDS - 1
    assert (await store.list("u", 9, None)).items == ()
    with pytest.raises(NotFound):
        await store.recent("u", "c", 9)


async def test_a_shorter_retention_leaves_no_turn_behind_its_conversation(url: str, clock: Clock) -> None:
    """Turns written to be kept longer keep their conversation, so that its id cannot begin anew over them."""
    patient, hasty = opened(url, 1000), opened(url, 10)
    await patient.append("u", turn(1))
    await hasty.append("u", turn(2))
    clock.now += 999
    assert numbers(await hasty.recent("u", "c", 9)) == [1]
    clock.now += 1
    await hasty.append("u", turn(3))
    assert numbers(await hasty.recent("u", "c", 9)) == [3]
    await patient.close()
    await hasty.close()


async def test_the_service_may_restart(tmp_path: Path) -> None:
    """What was remembered is there after the service was down, for the same adapter and its old connections."""
    path = tmp_path / "cosmos.db"
    async with serving(cosmos_app(path)) as url:
        store = opened(url)
        await remember(store, 2)
    async with serving(cosmos_app(path), int(url.rpartition(":")[2])):
        assert numbers(await store.recent("u", "c", 9)) == [1, 2]
        await store.append("u", turn(3))
        assert numbers(await store.recent("u", "c", 9)) == [1, 2, 3]
        await store.close()


async def test_a_container_is_opened_once(store: CosmosConversations, script: Script) -> None:
    """Ten first operations at once share one client and one look at the container."""
    await asyncio.gather(*(store.list("u", 1, None) for _ in range(10)))
    made = [entry.operation for entry in script.served if entry.operation in ("container", "database")]
    # Of each: is it there, make it; and then the container's definition.
    assert made == ["database", "database", "container", "container", "container"]


async def test_a_closed_store_opens_again(store: CosmosConversations) -> None:
    """Close may come twice and at any time; what is asked after it is served."""
    await store.close()
    await store.append("u", turn(1))
    await store.close()
    await store.close()
    assert numbers(await store.recent("u", "c", 9)) == [1]


async def test_logs_name_nobody(store: CosmosConversations, caplog: pytest.LogCaptureFixture) -> None:
    """At INFO the SDK would log each request with the user's id; through the adapter it logs none."""
    caplog.set_level(logging.INFO)
    await store.append("user-17", turn(1))
    await store.recent("user-17", "c", 1)
    assert "user-17" not in caplog.text
    assert "azure" not in caplog.text


async def test_only_what_queries_need_is_indexed(store: CosmosConversations, url: str) -> None:
    """The container that is made keeps words out of the index and has its TTL on."""
    await store.check()
    async with CosmosClient(url, LOCAL_KEY) as client:
        definition = await client.get_database_client("voice").get_container_client("conversations").read()
    assert definition["defaultTtl"] == -1
    assert definition["partitionKey"]["paths"] == ["/userId"]
    assert definition["indexingPolicy"]["excludedPaths"] == [{"path": "/*"}]
    assert {"path": "/seq/?"} in definition["indexingPolicy"]["includedPaths"]
