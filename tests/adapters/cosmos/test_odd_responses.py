"""Responses of Cosmos DB that do not fit the request: each is a failure of the stage."""

import pytest

from emulators.script import Script, Step
from tests.adapters.cosmos.test_failures import TURN, Call, each_call, failure_of, opened
from voice_core.adapters.cosmos import CosmosConversations
from voice_core.adapters.cosmos.transport import LONGEST_RESPONSE
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
    "compressed": Step(status=200, body="{}", headers={"Content-Encoding": "gzip"}, repeat=True),
    "too long": Step(body=" " * LONGEST_RESPONSE + "{}", repeat=True),
    "a redirect": Step(status=302, body="", headers={"Location": "http://127.0.0.1:1/"}, repeat=True),
}

THROTTLED_SECONDS = 3.0
"""Pauses double from 50 ms until the next would end too late: the last request is made after 1.55 s, with as much time
again for its response."""

odd = pytest.mark.parametrize("step", ODD.values(), ids=ODD)


@odd
@each_call
async def test_an_unexpected_response_is_a_failure(
    store: CosmosConversations, script: Script, operation: str, call: Call, step: Step
) -> None:
    """The call fails as retryable; there is no stray exception, and it is not taken for success or for not found."""
    await store.append("u", TURN)
    script.add(operation, step)
    error = await failure_of(call(store))
    assert type(error) is StageFailed
    assert error.retryable


OPENINGS = [("container", name) for name in ODD]
# An account whose response names no regions is used at the configured endpoint.
OPENINGS += [("account", name) for name in ODD if name not in ("an object", "another document")]


@pytest.mark.parametrize(("operation", "name"), OPENINGS)
async def test_an_unexpected_response_opens_nothing(url: str, script: Script, operation: str, name: str) -> None:
    """An operation that opens the container fails likewise, and the next one opens it."""
    store = opened(url)
    script.add(operation, ODD[name])
    error = await failure_of(store.append("u", TURN))
    assert type(error) is StageFailed
    assert error.retryable
    script.clear()
    await store.append("u", TURN)
    await store.close()


@pytest.mark.parametrize("milliseconds", ["inf", "nan", "-5", "1e400", "9" * 400])
async def test_a_throttle_with_an_invalid_time_names_none(url: str, script: Script, milliseconds: str) -> None:
    """A throttle whose wait is no valid number is reported as a throttle, without seconds to wait."""
    store = opened(url, deadline_seconds=THROTTLED_SECONDS)
    await store.append("u", TURN)
    script.add("query", Step(status=429, headers={"x-ms-retry-after-ms": milliseconds}, repeat=True))
    error = await failure_of(store.list("u", 3, None))
    assert isinstance(error, Throttled)
    assert error.retry_after is None
    await store.close()
