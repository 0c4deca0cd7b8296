"""The Cosmos emulator's queries: results, refusals and paging."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import CosmosHttpResponseError
from hypothesis import given
from hypothesis import strategies as st

from emulators.cosmos import LOCAL_KEY, cosmos_app
from emulators.cosmos.indexing import check_sortable
from emulators.cosmos.paging import page
from emulators.cosmos.query import parse_query
from emulators.cosmos.refusals import Refusal
from emulators.serving import serving

COMPOSITE = [[{"path": "/kind", "order": "ascending"}, {"path": "/seq", "order": "descending"}]]
INDEXING: dict[str, Any] = {"includedPaths": [{"path": "/*"}], "excludedPaths": [], "compositeIndexes": COMPOSITE}

DOCUMENTS: list[dict[str, Any]] = [
    {"id": "a", "seq": 1, "kind": "turn", "deep": {"n": 1}, "tags": ["x", "y"], "from": "here"},
    {"id": "b", "seq": 2, "kind": "turn", "deep": {"n": 2}, "done": True},
    {"id": "c", "seq": 3, "kind": "Header", "done": False, "note": None},
    {"id": "d", "seq": 3.5, "kind": "it's", "note": "1"},
]
ROWS = list(enumerate(DOCUMENTS))


@pytest.fixture
async def container() -> AsyncIterator[ContainerProxy]:
    async with serving(cosmos_app(None)) as url, CosmosClient(url, LOCAL_KEY) as client:
        database = await client.create_database("db")
        yield await database.create_container("items", PartitionKey("/user"), indexing_policy=INDEXING)


def found(query: str, **parameters: Any) -> list[Any]:
    """All results of *query* over DOCUMENTS."""
    values = [{"name": f"@{name}", "value": value} for name, value in parameters.items()]
    return page(parse_query(query, values), ROWS, 100, None)[0]


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ("c.kind = 'turn'", "ab"),
        ('c.kind = "turn"', "ab"),
        ("c.kind = 'it\\'s'", "d"),
        ("c.kind != 'turn'", "cd"),
        ("c.kind <> 'turn'", "cd"),
        ("c.seq > 2", "cd"),
        ("c.seq >= 2", "bcd"),
        ("c.seq < 2", "a"),
        ("c.seq <= 2 AND c.seq > 1", "b"),
        ("c.seq > -1", "abcd"),
        ("c.seq = 1 OR c.seq = 3", "ac"),
        ("NOT (c.seq = 1 OR c.seq = 3)", "bd"),
        ("NOT c.done", "c"),
        ("c.done", "b"),
        ("c.done = true", "b"),
        ("c.note = null", "c"),
        ("c.note != null", ""),
        ("c.seq = '1'", ""),
        ("c.seq != '1'", ""),
        ("c.missing = undefined", ""),
        ("NOT (c.missing = 1)", ""),
        ("c.missing = 1 OR c.seq = 1", "a"),
        ("c.seq IN (1, 2)", "ab"),
        ("c.seq NOT IN (1, 2)", "cd"),
        ("c.seq BETWEEN 2 AND 3", "bc"),
        ("c.seq NOT BETWEEN 2 AND 3 AND c.seq > 1", "d"),
        ("IS_DEFINED(c.done)", "bc"),
        ("NOT IS_DEFINED(c.done)", "ad"),
        ("STARTSWITH(c.kind, 'tu')", "ab"),
        ("STARTSWITH(c.kind, 'h', true)", "c"),
        ("CONTAINS(c.kind, 'eade')", "c"),
        ("CONTAINS(c.seq, 'x')", ""),
        ("ARRAY_CONTAINS(c.tags, 'y')", "a"),
        ("ARRAY_CONTAINS(@ids, c.id)", "bd"),
        ("c.deep.n = 2", "b"),
        ('c["deep"]["n"] = 2', "b"),
        ("c.tags[1] = 'y'", "a"),
        ("c.from = 'here'", "a"),
        ("c.kind = @kind and c.seq = @seq", "b"),
        ("c.deep = @deep", "a"),
    ],
)
def test_a_condition_selects(condition: str, ids: str) -> None:
    """Conditions select as the service's documentation says, undefined and mixed types included."""
    query = " ".join(("SELECT VALUE c.id FROM c WHERE", condition))
    assert "".join(found(query, ids=["b", "d"], kind="turn", seq=2, deep={"n": 1})) == ids


@pytest.mark.parametrize(
    ("query", "results"),
    [
        ("SELECT c.id, c.seq FROM c WHERE c.id = 'a'", [{"id": "a", "seq": 1}]),
        ("select c.deep.n, c.id as name from c where c.id = 'a'", [{"n": 1, "name": "a"}]),
        ("SELECT c.done FROM c WHERE c.id = 'a'", [{}]),
        ("SELECT VALUE c.done FROM c", [True, False]),
        ("SELECT VALUE c FROM c WHERE c.id = 'b'", [DOCUMENTS[1]]),
        ("SELECT * FROM root r WHERE r.id = 'b'", [DOCUMENTS[1]]),
        ("SELECT * FROM root AS r WHERE r.id = 'b'", [DOCUMENTS[1]]),
        ("SELECT VALUE COUNT(1) FROM c WHERE c.seq > 1", [3]),
        ("SELECT TOP 2 VALUE c.id FROM c ORDER BY c.seq DESC", ["d", "c"]),
        ("SELECT TOP @n VALUE c.id FROM c ORDER BY c.seq ASC", ["a"]),
        ("SELECT VALUE c.id FROM c ORDER BY c.seq OFFSET 1 LIMIT 2", ["b", "c"]),
        ("SELECT VALUE c.id FROM c ORDER BY c.kind, c.seq DESC", ["c", "d", "b", "a"]),
        ("SELECT VALUE c.id FROM c ORDER BY c.note, c.id", ["a", "b", "c", "d"]),
    ],
)
def test_a_query_projects_sorts_and_limits(query: str, results: list[Any]) -> None:
    """Projections, TOP, COUNT, ORDER BY and OFFSET return the right results in order."""
    assert found(query, n=1) == results


@pytest.mark.parametrize(
    "query",
    [
        "",
        "SELEC * FRM c",
        "SELECT * FROM c WHERE",
        "SELECT * FROM c WHERE c.a =",
        "SELECT * FROM c WHERE c.a = 1 2",
        "SELECT * FROM c WHERE c.a = 'open",
        "SELECT * FROM c WHERE c.a = @missing",
        "SELECT * FROM c WHERE c.a LIKE 'x%'",
        "SELECT * FROM c WHERE c.a + 1 = 2",
        "SELECT * FROM c WHERE UPPER(c.a) = 'X'",
        "SELECT * FROM c WHERE IS_DEFINED(c.a, c.b)",
        "SELECT * FROM c WHERE x.a = 1",
        "SELECT * FROM c WHERE c.a NOT 1",
        "SELECT * FROM c JOIN t IN c.tags",
        "SELECT * FROM c.tags",
        "SELECT DISTINCT c.a FROM c",
        "SELECT c.a FROM c GROUP BY c.a",
        "SELECT VALUE SUM(c.a) FROM c",
        "SELECT VALUE COUNT(c.a) FROM c",
        "SELECT TOP 1 VALUE COUNT(1) FROM c",
        "SELECT TOP -1 * FROM c",
        "SELECT TOP 'x' * FROM c",
        "SELECT TOP 1 * FROM c OFFSET 0 LIMIT 1",
        "SELECT * FROM c OFFSET 1",
        "SELECT * FROM c ORDER BY c",
        "SELECT * FROM c ORDER BY c.a; DROP TABLE items",
        "SELECT * FROM c WHERE c.a = 1 -- comment",
        "SELECT * FROM c WHERE " + "(" * 5000 + "1 = 1" + ")" * 5000,
    ],
    ids=lambda query: query[:50],
)
def test_unsupported_queries_are_refused(query: str) -> None:
    """A query that is invalid or not supported is 400 with a message."""
    with pytest.raises(Refusal) as caught:
        parse_query(query)
    assert caught.value.status == 400
    assert caught.value.message


@pytest.mark.parametrize(
    ("order", "sortable"),
    [
        ([], True),
        ([("/seq", True)], True),
        ([("/deep/n", False)], True),
        ([("/hidden", False)], False),
        ([("/hidden/shown", False)], True),
        ([("/kind", False), ("/seq", True)], True),
        ([("/kind", True), ("/seq", False)], True),
        ([("/kind", False), ("/seq", False)], False),
        ([("/seq", False), ("/kind", False)], False),
    ],
)
def test_sorting_needs_an_index(order: list[tuple[str, bool]], sortable: bool) -> None:
    """A single path must be in the index, and several need their composite index, as in the service."""
    policy = INDEXING | {
        "includedPaths": [{"path": "/*"}, {"path": "/hidden/shown/?"}],
        "excludedPaths": [{"path": "/hidden/?"}, {"path": "/hidden/*"}, {"path": '/"_etag"/?'}],
    }
    if sortable:
        check_sortable(policy, order)
    else:
        with pytest.raises(Refusal):
            check_sortable(policy, order)


SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "B"])


@given(
    st.lists(st.fixed_dictionaries({}, optional={"x": SCALARS, "y": SCALARS}), max_size=30),
    st.integers(1, 7),
    st.sampled_from(
        ["", "ORDER BY c.x", "ORDER BY c.x DESC", "ORDER BY c.x DESC, c.y", "ORDER BY c.x OFFSET 2 LIMIT 9"]
    ),
)
def test_pages_together_are_the_complete_result(documents: list[dict[str, Any]], size: int, order: str) -> None:
    """For any documents and order, following the tokens yields each result once and in order."""
    query, rows = parse_query(" ".join(("SELECT * FROM c", order))), list(enumerate(documents))
    whole, none = page(query, rows, 1000, None)
    assert none is None
    pieces, token = page(query, rows, size, None)
    while token:
        piece, token = page(query, rows, size, token)
        assert 1 <= len(piece) <= size
        pieces += piece
    assert pieces == whole


async def test_pages_are_stable_under_concurrent_writes(container: ContainerProxy) -> None:
    """Inserts before and deletes behind the position of a page neither repeat nor hide later results."""
    for seq in range(10):
        await container.create_item({"id": str(seq), "user": "a", "seq": seq})
    query = "SELECT VALUE c.seq FROM c ORDER BY c.seq DESC"

    async def read(token: str | None) -> tuple[list[int], str]:
        pages: Any = container.query_items(query, partition_key="a", max_item_count=4).by_page(token)
        return [seq async for seq in await anext(pages)], pages.continuation_token

    first, token = await read(None)
    await container.create_item({"id": "10", "user": "a", "seq": 10})
    await container.delete_item("6", "a")
    second, token = await read(token)
    await container.create_item({"id": "1.5", "user": "a", "seq": 1.5})
    third, _ = await read(token)
    assert (first, second, third) == ([9, 8, 7, 6], [5, 4, 3, 2], [1.5, 1, 0])


@pytest.mark.parametrize("token", ["garbage", "bm9uc2Vuc2U=", "W10=", "W1tbMywgIngiXV0sIDEsIDFd", "W1tdLCAxLCAxXQ=="])
async def test_an_invalid_continuation_token_is_refused(container: ContainerProxy, token: str) -> None:
    """A token that was not issued for the query is 400, even if it is well formed."""
    await container.create_item({"id": "1", "user": "a", "seq": 1})
    pages = container.query_items("SELECT * FROM c ORDER BY c.seq", partition_key="a").by_page(token)
    with pytest.raises(CosmosHttpResponseError) as caught:
        await anext(pages)
    assert caught.value.status_code == 400


async def test_a_query_covers_one_partition(container: ContainerProxy) -> None:
    """A query with a partition key returns that partition's documents, with system properties; without, it is 400."""
    for user in "ab":
        await container.create_item({"id": "1", "user": user, "seq": 1})
    query = "SELECT c.user, c._ts FROM c WHERE c.seq = @seq ORDER BY c.seq"
    parameters: list[dict[str, Any]] = [{"name": "@seq", "value": 1}]
    results = [item async for item in container.query_items(query, parameters=parameters, partition_key="b")]
    assert [result["user"] for result in results] == ["b"]
    assert results[0]["_ts"] > 0
    with pytest.raises(CosmosHttpResponseError) as caught:
        [item async for item in container.query_items(query, parameters=parameters)]
    assert caught.value.status_code == 400
