"""Operations on documents of the Cosmos emulator, through the real SDK."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosBatchOperationError,
    CosmosHttpResponseError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)

from emulators.cosmos import LOCAL_KEY, cosmos_app
from emulators.serving import serving


@pytest.fixture
async def container() -> AsyncIterator[ContainerProxy]:
    async with serving(cosmos_app(None)) as url, CosmosClient(url, LOCAL_KEY) as client:
        database = await client.create_database("db")
        yield await database.create_container("items", PartitionKey("/user"), default_ttl=-1)


def plain(document: dict[str, Any]) -> dict[str, Any]:
    """*document* without its system properties."""
    return {name: value for name, value in document.items() if not name.startswith("_")}


async def status_of(request: Any) -> int:
    """The status that the service refuses *request* with."""
    with pytest.raises(CosmosHttpResponseError) as caught:
        await request
    return int(caught.value.status_code or 0)


async def test_a_document_comes_back_as_it_was_written(container: ContainerProxy) -> None:
    """A created document can be read, with an ETag and the time of the write."""
    document = {"id": "héé 1", "user": "Ünï çø", "text": "日本", "deep": {"list": [1, 2.5, None, True]}}
    created = await container.create_item(document)
    read = await container.read_item("héé 1", "Ünï çø")
    assert plain(read) == document
    assert read["_etag"] == created["_etag"]
    assert read["_ts"] > 1_600_000_000


async def test_an_id_is_unique_in_its_partition(container: ContainerProxy) -> None:
    """The same id is refused in the same partition and accepted in another."""
    await container.create_item({"id": "1", "user": "a"})
    await container.create_item({"id": "1", "user": "b"})
    with pytest.raises(CosmosResourceExistsError):
        await container.create_item({"id": "1", "user": "a"})


@pytest.mark.parametrize("key", ["a", "", None, True, 0, 1.5])
async def test_any_scalar_is_a_partition_key(container: ContainerProxy, key: Any) -> None:
    """A partition key may be a string, a number, a boolean or null, each a partition of its own."""
    for user in ("a", "", None, True, 0, 1.5):
        await container.create_item({"id": "1", "user": user})
    assert (await container.read_item("1", key))["user"] == key


async def test_partitions_are_separate(container: ContainerProxy) -> None:
    """Reads, writes and queries of one partition never reach a document of another."""
    await container.create_item({"id": "1", "user": "a"})
    assert await status_of(container.read_item("1", "b")) == 404
    assert await status_of(container.delete_item("1", "b")) == 404
    assert await status_of(container.patch_item("1", "b", [{"op": "set", "path": "/x", "value": 1}])) == 404
    query = container.query_items("SELECT * FROM c WHERE c.user = 'a'", partition_key="b")
    assert [item async for item in query] == []


async def test_missing_resources_are_not_found(container: ContainerProxy) -> None:
    """Every operation on a missing document is 404; so is one on a missing container, with its substatus."""
    assert await status_of(container.read_item("no", "a")) == 404
    assert await status_of(container.replace_item("no", {"id": "no", "user": "a"})) == 404
    assert await status_of(container.patch_item("no", "a", [{"op": "incr", "path": "/n", "value": 1}])) == 404
    assert await status_of(container.delete_item("no", "a")) == 404
    await container.client_connection.DeleteContainer(container.container_link)
    with pytest.raises(CosmosResourceNotFoundError) as caught:
        await container.read_item("no", "a")
    assert caught.value.sub_status == 1003


async def test_a_stale_etag_changes_nothing(container: ContainerProxy) -> None:
    """If-Match with an ETag that is no longer the document's is 412, whatever the verb."""
    old = await container.create_item({"id": "1", "user": "a", "n": 1})
    new = await container.upsert_item({"id": "1", "user": "a", "n": 2})
    stale: dict[str, Any] = {"etag": old["_etag"], "match_condition": MatchConditions.IfNotModified}
    for request in (
        container.replace_item("1", {"id": "1", "user": "a", "n": 3}, **stale),
        container.upsert_item({"id": "1", "user": "a", "n": 3}, **stale),
        container.patch_item("1", "a", [{"op": "incr", "path": "/n", "value": 1}], **stale),
        container.delete_item("1", "a", **stale),
    ):
        with pytest.raises(CosmosAccessConditionFailedError):
            await request
    assert (await container.read_item("1", "a"))["_etag"] == new["_etag"]
    fresh: dict[str, Any] = {"etag": new["_etag"], "match_condition": MatchConditions.IfNotModified}
    assert (await container.replace_item("1", {"id": "1", "user": "a", "n": 4}, **fresh))["n"] == 4


async def test_an_unchanged_document_is_not_sent_again(container: ContainerProxy) -> None:
    """If-None-Match with the current ETag is 304, which the SDK returns as an empty document."""
    old = await container.create_item({"id": "1", "user": "a"})
    condition = MatchConditions.IfModified
    assert await container.read_item("1", "a", etag=old["_etag"], match_condition=condition) == {}
    await container.upsert_item({"id": "1", "user": "a", "n": 2})
    assert (await container.read_item("1", "a", etag=old["_etag"], match_condition=condition))["n"] == 2


@pytest.mark.parametrize(
    "document",
    [
        {"user": "a"},
        {"id": "", "user": "a"},
        {"id": 7, "user": "a"},
        {"id": "a/b", "user": "a"},
        {"id": "a?", "user": "a"},
        {"id": "x" * 1024, "user": "a"},
        {"id": "1", "user": ["a"]},
        {"id": "1", "user": "a", "ttl": 0},
        {"id": "1", "user": "a", "ttl": None},
        {"id": "1", "user": "a", "ttl": "9"},
    ],
    ids=lambda value: str(value)[:40],
)
async def test_invalid_documents_are_refused(container: ContainerProxy, document: dict[str, Any]) -> None:
    """Documents with an invalid id, partition key or time to live are 400."""
    with pytest.raises(CosmosBatchOperationError) as caught:
        await container.execute_item_batch([("create", (document,))], "a")
    assert caught.value.status_code == 400


async def test_a_document_belongs_to_the_partition_it_is_sent_to(container: ContainerProxy) -> None:
    """A document in a batch whose own key differs from the request's is 400."""
    await container.create_item({"id": "1", "user": "a"})
    with pytest.raises(CosmosBatchOperationError) as batched:
        await container.execute_item_batch([("create", ({"id": "2", "user": "b"},))], "a")
    assert batched.value.status_code == 400


async def test_a_patch_applies_all_operations(container: ContainerProxy) -> None:
    """All six operations work, in order, on properties, nested properties and array elements."""
    await container.create_item({"id": "1", "user": "a", "n": 1, "deep": {"b": 1}, "list": [1, 3], "gone": 1, "old": 5})
    operations: list[dict[str, Any]] = [
        {"op": "add", "path": "/new", "value": 7},
        {"op": "set", "path": "/deep/b", "value": 2},
        {"op": "replace", "path": "/deep/b", "value": 3},
        {"op": "incr", "path": "/n", "value": 4},
        {"op": "incr", "path": "/m", "value": 2},
        {"op": "remove", "path": "/gone"},
        {"op": "add", "path": "/list/1", "value": 2},
        {"op": "add", "path": "/list/-", "value": 4},
        {"op": "set", "path": "/list/0", "value": 0},
        {"op": "move", "from": "/old", "path": "/moved"},
    ]
    patched = await container.patch_item("1", "a", operations)
    expected = {"id": "1", "user": "a", "n": 5, "m": 2, "deep": {"b": 3}, "list": [0, 2, 3, 4], "new": 7, "moved": 5}
    assert plain(patched) == expected
    assert plain(await container.read_item("1", "a")) == expected


@pytest.mark.parametrize(
    "operations",
    [
        [],
        [{"op": "incr", "path": "/n", "value": 1}] * 11,
        [{"op": "copy", "path": "/n", "value": 1}],
        [{"op": "set", "path": "n", "value": 1}],
        [{"op": "set", "path": "/n"}],
        [{"op": "set", "path": "/id", "value": "2"}],
        [{"op": "set", "path": "/user", "value": "b"}],
        [{"op": "set", "path": "/_ts", "value": 1}],
        [{"op": "move", "from": "/id", "path": "/n"}],
        [{"op": "set", "path": "/none/deep", "value": 1}],
        [{"op": "set", "path": "/n/deep", "value": 1}],
        [{"op": "set", "path": "/list/9", "value": 1}],
        [{"op": "set", "path": "/list/x", "value": 1}],
        [{"op": "replace", "path": "/none", "value": 1}],
        [{"op": "remove", "path": "/none"}],
        [{"op": "incr", "path": "/text", "value": 1}],
        [{"op": "incr", "path": "/n", "value": "1"}],
        [{"op": "set", "path": "/ttl", "value": 0}],
        [{"op": "incr", "path": "/n", "value": 1}, {"op": "remove", "path": "/none"}],
    ],
    ids=str,
)
async def test_a_patch_that_cannot_be_applied_changes_nothing(
    container: ContainerProxy, operations: list[dict[str, Any]]
) -> None:
    """A patch with one impossible operation is 400 and leaves the document as it was."""
    await container.create_item({"id": "1", "user": "a", "n": 1, "text": "x", "list": [1]})
    assert await status_of(container.patch_item("1", "a", operations)) == 400
    assert (await container.read_item("1", "a"))["n"] == 1


async def test_a_patch_obeys_its_condition(container: ContainerProxy) -> None:
    """A false filter predicate is 412, with a true one the patch is applied, an invalid one is 400."""
    await container.create_item({"id": "1", "user": "a", "n": 1})
    add: list[dict[str, Any]] = [{"op": "incr", "path": "/n", "value": 1}]
    assert await status_of(container.patch_item("1", "a", add, filter_predicate="from c where c.n > 1")) == 412
    assert (await container.patch_item("1", "a", add, filter_predicate="FROM c WHERE c.n = 1"))["n"] == 2
    assert await status_of(container.patch_item("1", "a", add, filter_predicate="c.n = 2")) == 400


async def test_a_batch_performs_all_operations(container: ContainerProxy) -> None:
    """A batch of all six kinds of operation performs each, and returns a result for each."""
    old = await container.create_item({"id": "0", "user": "a", "n": 1})
    await container.create_item({"id": "9", "user": "a"})
    results = await container.execute_item_batch(
        [
            ("create", ({"id": "1", "user": "a"},)),
            ("upsert", ({"id": "2", "user": "a"},)),
            ("replace", ("0", {"id": "0", "user": "a", "n": 5}), {"if_match_etag": old["_etag"]}),
            ("patch", ("0", [{"op": "incr", "path": "/n", "value": 1}]), {"filter_predicate": "from c where c.n = 5"}),
            ("read", ("0",)),
            ("delete", ("9",)),
        ],
        "a",
    )
    assert [result["statusCode"] for result in results] == [201, 201, 200, 200, 200, 204]
    assert results[4]["resourceBody"]["n"] == 6
    assert results[4]["eTag"] == results[4]["resourceBody"]["_etag"]


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        (("create", ({"id": "0", "user": "a"},)), 409),
        (("replace", ("0", {"id": "0", "user": "a"}), {"if_match_etag": '"stale"'}), 412),
        (("delete", ("none",)), 404),
        (("patch", ("0", [{"op": "remove", "path": "/none"}])), 400),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_a_batch_is_atomic(container: ContainerProxy, operation: Any, status: int) -> None:
    """The failed operation has its status, the others 424, and none of them is applied."""
    before = await container.create_item({"id": "0", "user": "a"})
    others = [("create", ({"id": "1", "user": "a"},)), ("delete", ("0",))]
    with pytest.raises(CosmosBatchOperationError) as caught:
        await container.execute_item_batch([others[0], operation, others[1]], "a")
    assert (caught.value.error_index, caught.value.status_code) == (1, status)
    assert [result["statusCode"] for result in caught.value.operation_responses or ()] == [424, status, 424]
    assert await status_of(container.read_item("1", "a")) == 404
    assert (await container.read_item("0", "a"))["_etag"] == before["_etag"]


async def test_a_batch_is_bounded(container: ContainerProxy) -> None:
    """A batch of 100 operations is performed, one of 101 is refused."""
    hundred = [("create", ({"id": str(number), "user": "a"},)) for number in range(100)]
    assert len(await container.execute_item_batch(hundred, "a")) == 100
    assert await status_of(container.execute_item_batch([*hundred, hundred[0]], "b")) == 400


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_two_megabytes_are_the_limit(container: ContainerProxy) -> None:
    """A document or a batch of more than 2 MB is 413."""
    half = "y" * 1_100_000
    assert await status_of(container.create_item({"id": "1", "user": "a", "text": half + half})) == 413
    batch = [("upsert", ({"id": str(number), "user": "a", "text": half},)) for number in range(2)]
    assert await status_of(container.execute_item_batch(batch, "a")) == 413
