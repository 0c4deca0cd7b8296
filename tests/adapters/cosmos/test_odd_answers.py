"""What callers hear when Cosmos answers, and not what it was asked."""

import pytest

from emulators.script import Script, Step
from tests.adapters.cosmos.test_failures import TURN, Ask, asking, failing, opened
from voice_core.adapters.cosmos import CosmosConversations
from voice_core.adapters.cosmos.transport import LONGEST_ANSWER
from voice_core.domain.errors import StageFailed, Throttled

ODD = {
    "dropped": Step(drop_after=0, repeat=True),
    "garbage": Step(body="{", repeat=True),
    "an object": Step(body="{}", repeat=True),
    "null": Step(body="null", repeat=True),
    "a list": Step(body="[]", repeat=True),
    "a number": Step(body="7", repeat=True),
    "nothing": Step(body="", repeat=True),
    "a nest": Step(body="[" * 100_000, repeat=True),
    "another document": Step(body='{"id": "other", "_etag": "1"}', repeat=True),
    "packed": Step(status=200, body="{}", headers={"Content-Encoding": "gzip"}, repeat=True),
    "too long": Step(body=" " * LONGEST_ANSWER + "{}", repeat=True),
    "a redirect": Step(status=302, body="", headers={"Location": "http://127.0.0.1:1/"}, repeat=True),
}

THROTTLED_SECONDS = 3.0
"""Pauses double from 50 ms until the next would end too late: the last request is made after 1.55 s, with as much time
again for its answer."""

odd = pytest.mark.parametrize("step", ODD.values(), ids=ODD)


@odd
@asking
async def test_what_was_not_asked_is_a_failure(
    store: CosmosConversations, script: Script, operation: str, ask: Ask, step: Step
) -> None:
    """Neither a stray exception nor, worse, taken for done or for not there; it may be tried again."""
    await store.append("u", TURN)
    script.add(operation, step)
    error = await failing(ask(store))
    assert type(error) is StageFailed
    assert error.retryable


OPENINGS = [("container", name) for name in ODD]
# An account whose answer names no regions is used where it is.
OPENINGS += [("account", name) for name in ODD if name not in ("an object", "another document")]


@pytest.mark.parametrize(("operation", "name"), OPENINGS)
async def test_nothing_opens_on_what_was_not_asked(url: str, script: Script, operation: str, name: str) -> None:
    """The first operation fails likewise, and the next one opens."""
    store = opened(url)
    script.add(operation, ODD[name])
    error = await failing(store.append("u", TURN))
    assert type(error) is StageFailed
    assert error.retryable
    script.clear()
    await store.append("u", TURN)
    await store.close()


@pytest.mark.parametrize("told", ["inf", "nan", "-5", "1e400", "9" * 400])
async def test_a_throttle_for_no_time_that_makes_sense_names_none(url: str, script: Script, told: str) -> None:
    """It is told as a throttle, without seconds to wait."""
    store = opened(url, deadline_seconds=THROTTLED_SECONDS)
    await store.append("u", TURN)
    script.add("query", Step(status=429, headers={"x-ms-retry-after-ms": told}, repeat=True))
    error = await failing(store.list("u", 3, None))
    assert isinstance(error, Throttled)
    assert error.retry_after is None
    await store.close()
