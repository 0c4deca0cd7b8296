"""A worker with the vendors' SDKs dies before or after each of its calls; another worker serves the retry."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from emulators.script import Step
from fakes.memory_clip_stores import WorkerDeath
from tests.conftest import Product
from tests.functions.test_idempotency import RECORDING, turns
from tests.idempotency_world import Life
from voice_core.domain.errors import NotFound
from voice_core.domain.events import Event
from voice_core.domain.idempotency import RequestName
from voice_core.domain.position import Position
from voice_core.functions.http.idempotency import IdempotencyKey
from voice_core.functions.turn.input import TurnInput
from voice_core.functions.turn.schemas import ProcessRequest
from voice_core.usecases.idempotency.idempotent_turn import TurnHandlers
from voice_core.usecases.idempotency.replay import replay
from voice_core.usecases.idempotency.request_lease import LeaseRules
from voice_core.usecases.turn.request import TurnRequest
from voice_core.usecases.turn.take_turn import take_turn

MOMENT = LeaseRules(seconds=0.05)


class DoomedLife(Life):
    """A worker that dies at call number *call*, *after* that has taken effect or before."""

    def __init__(self, call: int, *, after: bool) -> None:
        super().__init__()
        self.calls = 0
        self.name = ""
        self.storing = False
        """Whether the worker had begun to store the turn."""
        self._call = call
        self._after = after

    async def called(self, name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        self.calls += 1
        last = self.calls == self._call
        if last:
            self.name = name
        if last and not self._after:
            self.die()
        if self.dead:
            raise WorkerDeath
        self.storing = self.storing or name == "append"
        try:
            return await work()
        finally:
            if last:
                self.die()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_worker_may_die_at_any_call(product: Product, after: bool) -> None:
    """The retry over HTTP continues the turn, or replays the stored one; no complete reply is written again."""
    product.services.openai.add("chat", Step(text="One. Two.", repeat=True))
    for call in count(1):
        doomed = DoomedLife(call, after=after)
        await doomed.live(_all(_turn(product, doomed, f"k{call}")))
        if not doomed.dead:
            break
        await asyncio.sleep(MOMENT.seconds)
        paid, written = product.services.paid()["chat"], await _has_reply(product, f"k{call}")
        async with product.post("/process", data=RECORDING, headers={"Idempotency-Key": f"k{call}"}) as response:
            document = await response.json(content_type=None)
            again = response.headers.get("Idempotency-Replayed") == "true"

        assert response.status == 200, (call, doomed.name, document)
        # The lease is renewed while the turn is being stored: a death there may be before the turn arrives, or after.
        possible = {True, False} if doomed.storing and doomed.name != "append" else {doomed.storing}
        assert again in possible, (call, doomed.name)
        assert product.services.paid()["chat"] == paid + (not again and not written), (call, doomed.name)
        assert [turn["turnId"] for turn in await turns(product, document["conversationId"])] == [document["turnId"]]
    print(call - 1, "deaths", "after" if after else "before", "the call")  # noqa: T201 - pytest -s shows it
    assert call > 10


async def _has_reply(product: Product, key: str) -> bool:
    """Whether the journal has the complete reply."""
    try:
        claim = await product.app.requests.get(RequestName("local", IdempotencyKey("local", key).id_of("turn")))
    except NotFound:
        return False
    return bool(claim.journal and claim.journal.rounds)


async def _all(events: AsyncGenerator[Event]) -> None:
    async for _ in events:
        pass


def _turn(product: Product, life: Life, text: str) -> AsyncGenerator[Event]:
    """The turn that the handler of /process runs, in a worker whose calls *life* controls."""
    app = product.app
    ports = {name: life.wrapped(getattr(app.services, name)) for name in ("stt", "assistant", "tts", "conversations")}
    services = replace(app.services, **ports)
    idempotent_turns = replace(
        app.keyed_turns.idempotent,
        requests=life.wrapped(app.keyed_turns.idempotent.requests),
        services=services,
        rules=MOMENT,
        runs=life.runs,
    )
    key = IdempotencyKey("local", text)
    turn_input = TurnInput(ProcessRequest.model_validate({}), app.decoding(None, "user"), _once(RECORDING))
    turn_input = turn_input.with_key(key, app.limits)
    assert turn_input.idempotent_request
    turn_request = TurnRequest(
        user_id="local",
        turn_id=key.id_of("turn"),
        conversation_id=key.id_of("conversation"),
        begins=True,
        utterance=turn_input.utterance(),
    )
    handlers = TurnHandlers(
        lambda taken: take_turn(taken, services),
        lambda turn, received: replay(turn, turn_request, services, received),
    )
    return idempotent_turns.run(turn_request, turn_input.idempotent_request, handlers, Position())


async def _once(data: bytes) -> AsyncGenerator[bytes]:
    yield data
