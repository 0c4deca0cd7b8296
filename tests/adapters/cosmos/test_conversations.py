"""Conversations in Cosmos DB: storing turns, their order, separation of users, and expiry."""

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
from tests.adapters.cosmos.concurrent_writer import TTL_SECONDS, documents, numbers, opened, remember, turn
from tests.clock import Clock
from voice_core.adapters.cosmos import CosmosConversations
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import InvalidInput, NotFound
from voice_core.ports.conversations import Conversations
from voice_core.ports.providers import Checkable


def test_the_adapter_implements_the_ports() -> None:
    """The adapter has the methods that the use cases call; mypy checks their types here."""
    store = opened("http://127.0.0.1:1")
    conversations: Conversations = store
    checkable: Checkable = store
    assert (conversations, checkable) == (store, store)


async def test_a_new_conversation_is_read_completely(store: CosmosConversations, script: Script) -> None:
    """Header and turns are read at the same time; if only the header is there, the turns are read once more."""
    await remember(store, 1)
    script.add("query", Step(body='{"_rid": "", "Documents": [], "_count": 0}'))

    assert len((await store.turns("u", "c", 3, None)).items) == 1


async def test_every_field_of_a_turn_is_stored(store: CosmosConversations) -> None:
    """Every field of a turn is read as it was stored, including non-ASCII letters and microseconds."""
    complete = Turn(
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
    await store.append("u", complete)
    assert await store.recent("u", "c_-9", 5) == [complete]


async def test_recent_returns_the_last_turns_oldest_first(store: CosmosConversations) -> None:
    """At most as many turns as requested are returned: the latest, in the order in which they were taken."""
    await remember(store, 5)
    assert numbers(await store.recent("u", "c", 3)) == [3, 4, 5]
    assert numbers(await store.recent("u", "c", 50)) == [1, 2, 3, 4, 5]


async def test_recent_reads_more_than_one_page(store: CosmosConversations) -> None:
    """More turns than the service puts on one page are all returned, in order."""
    await remember(store, 130)
    assert numbers(await store.recent("u", "c", 120)) == list(range(11, 131))


async def test_an_unknown_conversation_is_not_found(store: CosmosConversations) -> None:
    """Reading an unknown conversation fails as not found; deleting it succeeds."""
    for call in (store.recent("u", "none", 3), store.turns("u", "none", 3, None)):
        with pytest.raises(NotFound) as caught:
            await call
        assert caught.value.code == "conversation-not-found"
    await store.delete("u", "none")


async def test_users_are_separated(store: CosmosConversations) -> None:
    """Another user's conversation cannot be read, listed, continued or deleted, even under the same id."""
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


async def test_a_complete_turn_replaces_an_interrupted_one(store: CosmosConversations, url: str) -> None:
    """A complete turn takes the place of the interrupted turn with its id, and is not replaced itself."""
    await remember(store, 1)
    interrupted_turn, complete = replace(turn(2), reply="", interrupted=True), turn(2)
    await store.append("u", interrupted_turn)
    await store.append("u", turn(3))

    assert await store.append("u", complete)
    assert await store.append("u", complete)
    assert not await store.append("u", replace(complete, reply="another"))
    assert not await store.append("u", interrupted_turn)
    assert await store.recent("u", "c", 9) == [turn(1), turn(2), turn(3)]
    stored = await documents(url)
    assert [document["turnCount"] for document in stored if document["type"] == "conversation"] == [3]


async def test_an_interrupted_turn_is_replaced_once(store: CosmosConversations) -> None:
    """One of several concurrent appends replaces the interrupted turn, and the others return false."""
    await store.append("u", replace(turn(1), interrupted=True))
    rivals = [replace(turn(1), reply=f"reply {number}") for number in range(4)]
    appended = await asyncio.gather(*(store.append("u", rival) for rival in rivals))

    assert sorted(appended) == [False, False, False, True]
    assert await store.recent("u", "c", 9) == [rivals[appended.index(True)]]


async def test_one_turn_can_be_read(store: CosmosConversations) -> None:
    """A turn is read by its id, only in its own conversation, and not after that was deleted."""
    await remember(store, 2)
    assert await store.turn("u", "c", "t2") == turn(2)
    for user, conversation, name in (("u", "c", "t3"), ("u", "d", "t2"), ("v", "c", "t2")):
        with pytest.raises(NotFound) as caught:
            await store.turn(user, conversation, name)
        assert caught.value.code == "turn-not-found"
    await store.delete("u", "c")
    with pytest.raises(NotFound):
        await store.turn("u", "c", "t2")


async def test_a_retried_append_stores_the_turn_once(store: CosmosConversations, script: Script) -> None:
    """When the connection is cut after the commit, the retried append finds that the turn is stored."""
    await store.check()
    script.add("batch", Step(drop_after=1))
    await store.append("u", turn(1))
    assert numbers(await store.recent("u", "c", 9)) == [1]
    assert len([entry for entry in script.served if entry.operation == "batch"]) == 2


async def test_fifty_concurrent_appends_are_all_stored(store: CosmosConversations, url: str) -> None:
    """Turns that end together in one conversation are numbered 1 to 50, and the header counts them."""
    await asyncio.gather(*(store.append("u", turn(number)) for number in range(50)))
    stored = await documents(url)
    assert sorted(document["seq"] for document in stored if document["type"] == "turn") == list(range(1, 51))
    assert [document["turnCount"] for document in stored if document["type"] == "conversation"] == [50]


async def test_instances_append_to_one_conversation_together(url: str) -> None:
    """Four instances of the app, which share no lock, number the turns without gaps or duplicates."""
    stores = [opened(url) for _ in range(4)]
    await asyncio.gather(*(stores[number % 4].append("u", turn(number)) for number in range(20)))
    for store in stores:
        await store.close()
    stored = await documents(url)
    assert sorted(document["seq"] for document in stored if document["type"] == "turn") == list(range(1, 21))


@pytest.mark.parametrize("conversation", ["", "a/b", "a:b", "é", "x" * 65, "a?", "a\n"])
async def test_an_invalid_conversation_id_is_refused(store: CosmosConversations, conversation: str) -> None:
    """An id that could reach another document is invalid input, and no request is made."""
    for call in (
        store.append("u", turn(1, conversation)),
        store.recent("u", conversation, 1),
        store.turns("u", conversation, 1, None),
        store.delete("u", conversation),
    ):
        with pytest.raises(InvalidInput):
            await call


@pytest.mark.parametrize("name", ["", "a/b", "a#b", "a\n", "x" * 256])
async def test_an_invalid_turn_id_is_refused(store: CosmosConversations, name: str) -> None:
    """A turn id that the service would not accept is invalid input."""
    with pytest.raises(InvalidInput):
        await store.append("u", replace(turn(1), id=name))


async def test_each_turn_extends_the_conversation_only(store: CosmosConversations, clock: Clock) -> None:
    """A turn expires `TTL_SECONDS` after it was stored, the conversation `TTL_SECONDS` after its last turn."""
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


async def test_a_shorter_retention_leaves_no_orphaned_turn(url: str, clock: Clock) -> None:
    """A conversation lives at least as long as its turns, so that its id is not reused while turns of it are stored."""
    long_lived, short_lived = opened(url, 1000), opened(url, 10)
    await long_lived.append("u", turn(1))
    await short_lived.append("u", turn(2))
    clock.now += 999
    assert numbers(await short_lived.recent("u", "c", 9)) == [1]
    clock.now += 1
    await short_lived.append("u", turn(3))
    assert numbers(await short_lived.recent("u", "c", 9)) == [3]
    await long_lived.close()
    await short_lived.close()


async def test_the_service_may_restart(tmp_path: Path) -> None:
    """After a restart of the service the same adapter reads and appends turns, in spite of its old connections."""
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
    """Ten concurrent first operations share one client and one check of the container."""
    await asyncio.gather(*(store.list("u", 1, None) for _ in range(10)))
    requests = [entry.operation for entry in script.served if entry.operation in ("container", "database")]
    # The database and the container are each looked up and created; then the container's definition is read.
    assert requests == ["database", "database", "container", "container", "container"]


async def test_a_closed_store_opens_again(store: CosmosConversations) -> None:
    """A store may be closed twice and at any time; a later call opens it again."""
    await store.close()
    await store.append("u", turn(1))
    await store.close()
    await store.close()
    assert numbers(await store.recent("u", "c", 9)) == [1]


async def test_logs_contain_no_user_id(store: CosmosConversations, caplog: pytest.LogCaptureFixture) -> None:
    """At INFO the SDK would log each request with the user's id; the adapter suppresses that."""
    caplog.set_level(logging.INFO)
    await store.append("user-17", turn(1))
    await store.recent("user-17", "c", 1)
    assert "user-17" not in caplog.text
    assert "azure" not in caplog.text


async def test_only_what_queries_need_is_indexed(store: CosmosConversations, url: str) -> None:
    """The container is created with an index without texts, and with its TTL enabled."""
    await store.check()
    async with CosmosClient(url, LOCAL_KEY) as client:
        definition = await client.get_database_client("voice").get_container_client("conversations").read()
    assert definition["defaultTtl"] == -1
    assert definition["partitionKey"]["paths"] == ["/userId"]
    assert definition["indexingPolicy"]["excludedPaths"] == [{"path": "/*"}]
    assert {"path": "/seq/?"} in definition["indexingPolicy"]["includedPaths"]
