"""Lists of conversations and turns in Cosmos DB, page by page."""

import asyncio
import base64
import json
from dataclasses import replace

import pytest

from tests.adapters.cosmos.concurrent_writer import numbers, remember, turn
from voice_core.adapters.cosmos import CosmosConversations
from voice_core.domain.errors import InvalidInput


async def test_the_list_shows_conversations_latest_first(store: CosmosConversations) -> None:
    """Each conversation has its first words as title, its number of turns, and the times of the first and the last."""
    await store.append("u", replace(turn(1, "old"), transcript="tell me  about " + "whales " * 30))
    await store.append("u", turn(2, "new"))
    await store.append("u", turn(3, "old"))
    old, new = (await store.list("u", 10, None)).items
    assert (old.id, old.turn_count, old.created_at, old.updated_at) == (
        "old",
        2,
        turn(1).created_at,
        turn(3).created_at,
    )
    assert old.title.startswith("tell me about whales")
    assert len(old.title) <= 80
    assert (new.id, new.title) == ("new", "said 2")


async def test_the_list_pages_while_conversations_begin(store: CosmosConversations) -> None:
    """Following continuations shows every conversation once, although others begin in between."""
    for number in range(7):
        await store.append("u", turn(number, f"c{number}"))
    seen, continuation = [], None
    for _ in range(3):
        page = await store.list("u", 3, continuation)
        seen += [conversation.id for conversation in page.items]
        continuation = page.continuation
        await store.append("u", turn(100, f"later{len(seen)}"))
    assert seen == ["c6", "c5", "c4", "c3", "c2", "c1", "c0"]
    assert continuation is None


async def test_turns_page_latest_first_while_turns_are_added(store: CosmosConversations) -> None:
    """Following continuations shows every earlier turn once; turns that are appended meanwhile do not shift them."""
    await remember(store, 7)
    first = await store.turns("u", "c", 3, None)
    await store.append("u", turn(8))
    second = await store.turns("u", "c", 3, first.continuation)
    third = await store.turns("u", "c", 3, second.continuation)
    assert [numbers(page.items) for page in (first, second, third)] == [[7, 6, 5], [4, 3, 2], [1]]
    assert third.continuation is None


async def test_continuations_do_not_mix_between_requests(store: CosmosConversations) -> None:
    """Each of several concurrent requests gets its own continuation; the SDK's own may come from any response."""
    for number in range(8):
        await remember(store, 4, f"c{number}")
    firsts = await asyncio.gather(*(store.turns("u", f"c{number}", 2, None) for number in range(8)))
    seconds = await asyncio.gather(
        *(store.turns("u", f"c{number}", 2, first.continuation) for number, first in enumerate(firsts))
    )
    assert [numbers(page.items) for page in seconds] == [[2, 1]] * 8


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


@pytest.mark.parametrize(
    "continuation",
    ["", "garbage", "%%%", "é", forged(), forged("conversations"), forged("conversations", 1)]
    + [forged("conversations", token) for token in ("", "made up", "x\r\nauthorization: y", "é")],
)
async def test_a_garbled_continuation_is_the_callers_fault(store: CosmosConversations, continuation: str) -> None:
    """A continuation that we did not issue is invalid input, never a failure, and is never sent in a header."""
    await remember(store, 1)
    with pytest.raises(InvalidInput) as caught:
        await store.list("u", 3, continuation)
    assert caught.value.code == "continuation-invalid"


async def test_a_continuation_is_valid_for_its_own_list_only(store: CosmosConversations) -> None:
    """The continuation of one conversation's turns is invalid for another's, and for the list of conversations."""
    await remember(store, 3)
    await remember(store, 3, "d")
    continuation = (await store.turns("u", "c", 1, None)).continuation
    assert continuation
    for call in (store.turns("u", "d", 1, continuation), store.list("u", 1, continuation)):
        with pytest.raises(InvalidInput):
            await call
