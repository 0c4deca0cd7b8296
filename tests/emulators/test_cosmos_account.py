"""The Cosmos emulator as an account: access, persistence, expiry and scripted faults."""

import asyncio
import base64
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from azure.core.exceptions import AzureError
from azure.cosmos import CosmosClient as BlockingCosmosClient
from azure.cosmos import PartitionKey, ThroughputProperties
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import CosmosHttpResponseError, CosmosResourceNotFoundError

from emulators.cosmos import EMULATOR_KEY, LOCAL_KEY, cosmos_app
from emulators.script import Script, Step
from emulators.serving import serving
from fakes.eventually import eventually
from tests.clock import Clock

TOKEN = {"authorization": quote("type=aad&ver=1.0&sig=header.payload.signature")}
OTHER_KEY = base64.b64encode(b"other").decode()


async def new_container(client: CosmosClient, **options: Any) -> ContainerProxy:
    """A new container, or the existing one."""
    database = await client.create_database_if_not_exists("db")
    container: ContainerProxy
    container = await database.create_container_if_not_exists("items", PartitionKey("/user"), **options)
    return container


async def refused(request: Any) -> CosmosHttpResponseError:
    """The error that *request* raises."""
    with pytest.raises(CosmosHttpResponseError) as caught:
        await request
    return caught.value


@pytest.mark.parametrize("key", [EMULATOR_KEY, LOCAL_KEY])
async def test_the_right_key_gives_access(key: str) -> None:
    """Requests signed with either default key are served, also with names that need escaping."""
    async with serving(cosmos_app(None)) as url, CosmosClient(url, key) as client:
        container = await new_container(client)
        await container.create_item({"id": "100% ü", "user": "a"})
        assert (await container.read_item("100% ü", "a"))["user"] == "a"


async def test_a_wrong_key_is_401(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that is signed with another key, or not signed, is refused with 401."""
    monkeypatch.setenv("AZURE_COSMOS_HEALTH_CHECK_RETRY_AFTER_MS", "1")
    async with serving(cosmos_app(None, keys=[EMULATOR_KEY])) as url:
        for key in (LOCAL_KEY, OTHER_KEY):
            client = CosmosClient(url, key)
            assert (await refused(client.__aenter__())).status_code == 401
            await client.close()
        async with aiohttp.ClientSession() as session, session.get(f"{url}/dbs/db") as response:
            assert response.status == 401


async def test_tokens_are_accepted_only_when_enabled() -> None:
    """An Entra token gets 401 unless tokens are enabled, and then gives access to data but creates no containers."""
    # Without the SDK, which sends tokens over TLS only.
    async with aiohttp.ClientSession(headers=TOKEN) as session:
        async with serving(cosmos_app(None)) as url, session.get(url) as response:
            assert response.status == 401
        async with serving(cosmos_app(None, tokens=True)) as url, CosmosClient(url, LOCAL_KEY) as owner:
            await new_container(owner)
            documents, partition = f"{url}/dbs/db/colls/items/docs", {"x-ms-documentdb-partitionkey": '["a"]'}
            async with session.post(documents, json={"id": "1", "user": "a"}, headers=partition) as response:
                assert response.status == 201
            async with session.post(f"{url}/dbs/db/colls", json={"id": "more"}) as response:
                assert response.status == 403


def use_blocking_client(url: str) -> list[int]:
    """The result of a count by the synchronous SDK after it has written two documents."""
    with BlockingCosmosClient(url, LOCAL_KEY) as client:
        database = client.create_database_if_not_exists("db")
        throughput = ThroughputProperties(auto_scale_max_throughput=1000)
        container = database.create_container_if_not_exists("c", PartitionKey("/user"), offer_throughput=throughput)
        for name in ("1", "2"):
            container.upsert_item({"id": name, "user": "a"})
        query: Any = container.query_items("SELECT VALUE COUNT(1) FROM c", partition_key="a")
        return list(query)


async def test_the_synchronous_sdk_is_served() -> None:
    """The SDK's synchronous client works as the asynchronous one does, throughput options included."""
    async with serving(cosmos_app(None)) as url:
        assert await asyncio.to_thread(use_blocking_client, url) == [2]


async def test_committed_data_survives_a_restart(tmp_path: Path) -> None:
    """An account in a file is complete, including ETags, after the emulator is restarted."""
    path = tmp_path / "cosmos.db"
    async with serving(cosmos_app(path)) as url, CosmosClient(url, LOCAL_KEY) as client:
        container = await new_container(client, default_ttl=-1)
        written = await container.create_item({"id": "1", "user": "a"})
    async with serving(cosmos_app(path)) as url, CosmosClient(url, LOCAL_KEY) as client:
        container = await new_container(client)
        assert (await container.read_item("1", "a"))["_etag"] == written["_etag"]
        assert (await container.read())["defaultTtl"] == -1


async def test_databases_and_containers_can_be_deleted() -> None:
    """They are created once, are 404 when missing, and their contents are deleted with them."""
    async with serving(cosmos_app(None)) as url, CosmosClient(url, LOCAL_KEY) as client:
        container = await new_container(client)
        await container.create_item({"id": "1", "user": "a"})
        database = client.get_database_client("db")
        assert (await refused(client.create_database("db"))).status_code == 409
        assert (await refused(database.create_container("items", PartitionKey("/user")))).status_code == 409
        await database.delete_container("items")
        assert (await refused(database.get_container_client("items").read())).status_code == 404
        container = await new_container(client)
        assert (await refused(container.read_item("1", "a"))).status_code == 404
        await client.delete_database("db")
        assert (await refused(database.read())).status_code == 404


async def test_a_recreated_container_is_another() -> None:
    """A client that cached the deleted container gets 400, reads the container again, and succeeds."""
    script = Script()
    async with serving(cosmos_app(None, script=script)) as url, CosmosClient(url, LOCAL_KEY) as client:
        container = await new_container(client)
        await container.upsert_item({"id": "1", "user": "a"})
        async with CosmosClient(url, LOCAL_KEY) as other:
            await other.delete_database("db")
            await new_container(other)
        await container.upsert_item({"id": "1", "user": "a"})
    outcomes = [entry.outcome for entry in script.served if entry.operation == "upsert"]
    assert outcomes == ["done", "status-400", "done"]


async def test_key_ranges_are_304_when_unchanged() -> None:
    """The list of partition key ranges comes once, then 304: without that the SDK repeats its request for ever."""
    async with serving(cosmos_app(None, tokens=True)) as url, CosmosClient(url, LOCAL_KEY) as client:
        await new_container(client)
        async with aiohttp.ClientSession(headers=TOKEN) as session:
            async with session.get(f"{url}/dbs/db/colls/items/pkranges") as response:
                assert len((await response.json())["PartitionKeyRanges"]) == 1
                etag = response.headers["etag"]
            known = {"if-none-match": etag}
            async with session.get(f"{url}/dbs/db/colls/items/pkranges", headers=known) as response:
                assert response.status == 304


@pytest.mark.parametrize(
    "options",
    [
        {"partition_key": PartitionKey(["/user", "/conversation"], kind="MultiHash")},
        {"unique_key_policy": {"uniqueKeys": [{"paths": ["/mail"]}]}},
        {"default_ttl": 0},
    ],
    ids=str,
)
async def test_unsupported_containers_are_refused(options: dict[str, Any]) -> None:
    """Hierarchical keys and unique keys are 400, and so is an impossible time to live."""
    async with serving(cosmos_app(None)) as url, CosmosClient(url, LOCAL_KEY) as client:
        database = await client.create_database("db")
        request = database.create_container("items", **{"partition_key": PartitionKey("/user"), **options})
        assert (await refused(request)).status_code == 400


async def test_databases_and_containers_are_listed() -> None:
    """A list has every database of the account, or every container of a database."""
    async with serving(cosmos_app(None)) as url, CosmosClient(url, LOCAL_KEY) as client:
        assert [database async for database in client.list_databases()] == []
        database = await client.create_database("db")
        for name in ("b", "a"):
            await database.create_container(name, partition_key=PartitionKey("/user"))
        assert [found["id"] async for found in client.list_databases()] == ["db"]
        assert [found["id"] async for found in database.list_containers()] == ["a", "b"]


async def test_requests_of_other_sdks_are_served() -> None:
    """npm's SDK allows queries across partitions in every request, and sends a patch as a list: both are served."""
    headers = {"x-ms-documentdb-partitionkey": '["a"]', "x-ms-documentdb-query-enablecrosspartition": "true"}
    async with (
        serving(cosmos_app(None, tokens=True)) as url,
        CosmosClient(url, LOCAL_KEY) as client,
        aiohttp.ClientSession(headers=TOKEN | headers) as session,
    ):
        await new_container(client)
        documents = f"{url}/dbs/db/colls/items/docs"
        async with session.post(documents, json={"id": "1", "user": "a", "n": 1}) as response:
            assert response.status == 201
        async with session.patch(f"{documents}/1", json=[{"op": "incr", "path": "/n", "value": 1}]) as response:
            assert (await response.json())["n"] == 2
        query = {"x-ms-documentdb-isquery": "True", "content-type": "application/query+json"}
        async with session.post(documents, json={"query": "SELECT * FROM c"}, headers=query) as response:
            assert [document["id"] for document in (await response.json())["Documents"]] == ["1"]


async def test_unsupported_requests_are_refused() -> None:
    """Queries across partitions, the change feed and lists of all documents are 400, not an empty response."""
    async with serving(cosmos_app(None)) as url, CosmosClient(url, LOCAL_KEY) as client:
        container = await new_container(client)
        lists: list[Callable[[], Any]] = [
            lambda: container.query_items("SELECT * FROM c"),
            lambda: container.query_items_change_feed(start_time="Beginning"),
            lambda: container.read_all_items(),
        ]
        for listing in lists:
            with pytest.raises(CosmosHttpResponseError) as caught:
                [item async for item in listing()]
            assert caught.value.status_code == 400


@pytest.mark.parametrize(
    ("method", "body", "headers"),
    [
        ("POST", '{"id": "1"}', {}),
        ("POST", '{"id": "1"}', {"x-ms-documentdb-partitionkey": '["a", "b"]'}),
        ("POST", '{"id": "1"}', {"x-ms-documentdb-partitionkey": "a"}),
        ("POST", "{", {"x-ms-documentdb-partitionkey": '["a"]'}),
        ("POST", "[]", {"x-ms-documentdb-partitionkey": '["a"]'}),
        ("POST", "{}", {"x-ms-documentdb-partitionkey": '["a"]', "x-ms-cosmos-is-batch-request": "True"}),
        ("POST", "[1]", {"x-ms-documentdb-partitionkey": '["a"]', "x-ms-documentdb-isquery": "True"}),
        ("POST", '{"query": 1}', {"x-ms-documentdb-partitionkey": '["a"]', "x-ms-documentdb-isquery": "True"}),
        ("PUT", "{}", {}),
    ],
)
async def test_malformed_requests_are_refused(method: str, body: str, headers: dict[str, str]) -> None:
    """A request that is not JSON, not a batch or not a query, or that names no single partition, is 400."""
    async with serving(cosmos_app(None, tokens=True)) as url, CosmosClient(url, LOCAL_KEY) as client:
        await new_container(client)
        async with (
            aiohttp.ClientSession(headers=TOKEN) as session,
            session.request(method, f"{url}/dbs/db/colls/items/docs", data=body, headers=headers) as response,
        ):
            assert response.status == 400
            assert (await response.json())["message"]


@pytest.mark.parametrize(
    ("default", "ttl", "lives"),
    [(None, 5, None), (-1, None, None), (-1, 5, 5), (10, None, 10), (10, 5, 5), (10, 20, 20), (10, -1, None)],
)
async def test_documents_expire(default: int | None, ttl: int | None, lives: int | None) -> None:
    """A document expires after its own ttl, or else its container's; without a container's ttl, never."""
    clock = Clock()
    async with serving(cosmos_app(None, clock=clock)) as url, CosmosClient(url, LOCAL_KEY) as client:
        container = await new_container(client, default_ttl=default)
        document = {"id": "1", "user": "a"} | ({} if ttl is None else {"ttl": ttl})
        await container.create_item(document)
        clock.now += (lives or 1_000_000) - 1
        await container.read_item("1", "a")
        clock.now += 1
        if lives is None:
            await container.read_item("1", "a")
            return
        with pytest.raises(CosmosResourceNotFoundError):
            await container.read_item("1", "a")
        assert [item async for item in container.query_items("SELECT * FROM c", partition_key="a")] == []
        assert (await refused(container.replace_item("1", document))).status_code == 404
        await container.create_item(document)


async def test_expired_documents_are_deleted(tmp_path: Path) -> None:
    """The next write to its partition deletes an expired document from the file."""
    clock, path = Clock(), tmp_path / "cosmos.db"
    async with serving(cosmos_app(path, clock=clock)) as url, CosmosClient(url, LOCAL_KEY) as client:
        container = await new_container(client, default_ttl=10)
        await container.create_item({"id": "old", "user": "a"})
        clock.now += 10
        await container.create_item({"id": "new", "user": "a"})
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT id FROM items").fetchall() == [("new",)]


async def test_writing_a_document_extends_its_life() -> None:
    """The time to live counts from the last write."""
    clock = Clock()
    async with serving(cosmos_app(None, clock=clock)) as url, CosmosClient(url, LOCAL_KEY) as client:
        container = await new_container(client, default_ttl=10)
        for _ in range(3):
            await container.upsert_item({"id": "1", "user": "a"})
            clock.now += 9
        assert (await container.read_item("1", "a"))["_ts"] == clock.now - 9


async def test_a_container_can_change_its_time_to_live() -> None:
    """A changed time to live applies to existing documents too."""
    clock = Clock()
    async with serving(cosmos_app(None, clock=clock)) as url, CosmosClient(url, LOCAL_KEY) as client:
        container = await new_container(client, default_ttl=10)
        await container.create_item({"id": "1", "user": "a"})
        await client.get_database_client("db").replace_container(container, PartitionKey("/user"), default_ttl=100)
        clock.now += 50
        await container.read_item("1", "a")
        clock.now += 50
        assert (await refused(container.read_item("1", "a"))).status_code == 404


async def test_a_scripted_throttle_is_retried_by_the_sdk() -> None:
    """429 with x-ms-retry-after-ms makes the SDK wait and retry; the log shows each request."""
    script = Script()
    async with serving(cosmos_app(None, script=script)) as url, CosmosClient(url, LOCAL_KEY) as client:
        container = await new_container(client)
        throttle = Step(status=429, headers={"x-ms-retry-after-ms": "1", "x-ms-substatus": "3200"})
        script.add("create", throttle, throttle)
        await container.create_item({"id": "1", "user": "a"})
    outcomes = [entry.outcome for entry in script.served if entry.operation == "create"]
    assert outcomes == ["status-429", "status-429", "done"]


async def test_a_connection_is_cut_before_or_after_the_commit() -> None:
    """drop_after 0 loses the request; 1 loses only the response, and the operation is committed."""
    script = Script()
    async with (
        serving(cosmos_app(None, script=script)) as url,
        CosmosClient(url, LOCAL_KEY, retry_read=0, retry_connect=0) as client,
    ):
        container = await new_container(client)
        for name, after in (("before", 0), ("after", 1)):
            script.add("create", Step(drop_after=after))
            with pytest.raises(AzureError):
                await container.create_item({"id": name, "user": "a"})
        assert (await refused(container.read_item("before", "a"))).status_code == 404
        await container.read_item("after", "a")


async def test_a_scripted_response_replaces_the_right_one() -> None:
    """A step's status and body are sent unchanged, and a hanging request ends with the client's disconnect."""
    script = Script()
    async with serving(cosmos_app(None, script=script)) as url, CosmosClient(url, LOCAL_KEY) as client:
        container = await new_container(client)
        script.add("read", Step(status=418, body='{"message": "tea"}'), Step(body="{"), Step(hang=True))
        assert "tea" in str(await refused(container.read_item("1", "a")))
        with pytest.raises(AzureError):
            await container.read_item("1", "a")
        waiting = asyncio.ensure_future(container.read_item("1", "a"))
        await eventually(lambda: script.served[-1].outcome == "hung")
        waiting.cancel()
        await eventually(lambda: script.served[-1].ended)
    assert (script.served[-1].operation, script.served[-1].outcome) == ("read", "hung")
