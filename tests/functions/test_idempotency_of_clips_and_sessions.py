"""Idempotency-Key beyond one turn on one worker: speech files, clips, sessions, two workers."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from contextvars import ContextVar
from typing import Any

import aiohttp
import pytest
from starlette.types import Receive, Scope, Send

from fakes.eventually import eventually
from fakes.webrtc import Caller
from tests.conftest import Product, Services, function_host, served
from tests.functions.calls import offer
from tests.functions.test_clips import upload
from tests.functions.test_idempotency import KEY, RECORDING, answered, post_with_key, turns
from tests.functions.turns import recording
from voice_core import wiring

WORKER: ContextVar[wiring.App] = ContextVar("WORKER")
"""The worker that serves the current request."""


@pytest.fixture
async def workers(services: Services, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sequence[Product]]:
    """Two workers of one product, which share nothing but the services."""
    monkeypatch.setattr(wiring, "app", WORKER.get)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        products = []
        for _ in range(2):
            app = wiring.App(services.settings)
            stack.push_async_callback(app.close)
            url = await stack.enter_async_context(served(Worker(app)))
            products.append(Product(f"{url}/api/voice", http, services, app))
        yield products


class Worker:
    """A worker with an *app* of its own."""

    def __init__(self, app: wiring.App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        WORKER.set(self._app)
        await function_host()(scope, receive, send)


async def test_another_worker_gives_the_same_turn(workers: Sequence[Product]) -> None:
    """A retry may reach any worker; so may a request that its retry has overtaken."""
    first, second = workers
    turn_seen = await answered(first, data=RECORDING)

    assert await answered(second, data=RECORDING) == turn_seen | {"again": True}
    assert await answered(first, data=RECORDING) == turn_seen | {"again": True}
    assert first.services.paid()["chat"] == 1


@pytest.mark.parametrize("sent", [{"data": RECORDING}, {"json": {"text": "hello"}}], ids=["spoken", "typed"])
async def test_concurrent_requests_take_one_turn(workers: Sequence[Product], sent: dict[str, Any]) -> None:
    """Six at once on two workers take one turn; the others get 409 or the same turn."""
    responses = await asyncio.gather(*(post_with_key(workers[number % 2], **sent) for number in range(6)))
    again = await answered(workers[0], **sent)
    right = [await response.json() for response in responses if response.status == 200]
    wrong = [await response.json(content_type=None) for response in responses if response.status != 200]

    assert {problem["code"] for problem in wrong} <= {"idempotency-running"}
    assert {(turn["turnId"], turn["responseText"]) for turn in right} == {(again["turnId"], again["responseText"])}
    assert workers[0].services.paid()["chat"] == 1
    assert len(await turns(workers[1], again["conversationId"])) == 1


async def test_stored_speech_is_not_synthesised_again(clip_product: Product) -> None:
    """A replay has the same URL and length, and costs no synthesis as long as the speech file exists."""
    sent: dict[str, Any] = {"json": {"text": "hello", "speech": "url"}}
    first = await (await post_with_key(clip_product, **sent)).json()
    spoken = clip_product.services.paid()["tts"]
    again = await (await post_with_key(clip_product, **sent)).json()

    assert (again["speechUrl"], again["durationMs"]) == (first["speechUrl"], first["durationMs"])
    assert clip_product.services.paid()["tts"] == spoken
    await clip_product.app.clip_work.speeches.delete("local", first["conversationId"])
    once_more = await (await post_with_key(clip_product, **sent)).json()
    assert once_more["durationMs"] == first["durationMs"]
    assert clip_product.services.paid()["tts"] == 2 * spoken
    async with clip_product.get(first["speechUrl"].removeprefix("/api/voice")) as response:
        assert response.status == 200


async def test_a_clip_is_opened_once(clip_product: Product) -> None:
    """A retry gets the same clip with a usable slot, or after the upload without one; another request is refused."""
    members = {"contentType": "audio/wav", "notes": "For my boss."}
    first, again = [await opened(clip_product, members) for _ in range(2)]
    assert again[0]["clipId"] == first[0]["clipId"]
    assert again[0]["conversationId"] == first[0]["conversationId"]
    assert (first[1].get("Idempotency-Replayed"), again[1]["Idempotency-Replayed"]) == (None, "true")
    assert again[0]["upload"]["headers"] == first[0]["upload"]["headers"]

    assert await upload(clip_product, again[0], recording(1.0)) == 201
    assert await upload(clip_product, first[0], recording(1.0)) == 403
    assert "upload" not in (await opened(clip_product, members))[0]
    async with clip_product.post("/clips", json={"notes": "For me."}, headers=KEY) as response:
        assert (response.status, (await response.json(content_type=None))["code"]) == (422, "idempotency-key-reused")


async def opened(product: Product, members: dict[str, str]) -> tuple[dict[str, Any], Mapping[str, str]]:
    """The clip of a request with the key, and the response's headers."""
    async with product.post("/clips", json=members, headers=KEY) as response:
        assert response.status == 202, await response.text()
        return await response.json(), response.headers


async def test_a_session_is_opened_once(product: Product) -> None:
    """The same offer gets the same answer in either form; another is refused; after the end a new session opens."""
    caller, other = Caller(), Caller()
    try:
        sdp = await offer(caller)
        status, first = await negotiated(product, json={"offer": sdp})
        again_status, again = await negotiated(product, json={"offer": sdp})
        whip = {"Content-Type": "application/sdp"}
        async with product.post("/session", data=sdp["sdp"], headers=KEY | whip) as response:
            assert response.headers["Idempotency-Replayed"] == "true"
            assert await response.text() == first["answer"]["sdp"]
        assert (status, again_status, again) == (201, 201, first)

        status, problem = await negotiated(product, json={"offer": await offer(other)})
        assert (status, problem["code"]) == (422, "idempotency-key-reused")

        async with product.delete(f"/session/{first['sessionId']}") as response:
            assert response.status == 200
        _, fresh = await negotiated(product, json={"offer": sdp})
        assert fresh["sessionId"] != first["sessionId"]
        assert fresh["conversationId"] == first["conversationId"]
    finally:
        await caller.close()
        await other.close()


async def test_a_key_is_valid_for_one_path(product: Product) -> None:
    """A session with the key of a turn is another request, and begins a conversation of its own."""
    turn = await (await post_with_key(product, json={"text": "hi", "speech": "none"})).json()
    status, prepared = await negotiated(product, json={})

    assert status == 200
    assert prepared["conversationId"] != turn["conversationId"]


async def negotiated(product: Product, **sent: Any) -> tuple[int, dict[str, Any]]:
    async with product.post("/session", headers=KEY, **sent) as response:
        return response.status, await response.json(content_type=None)


async def test_a_held_session_lives_as_long_as_its_last_stream(product: Product) -> None:
    """A client whose stream broke off opens another; the end of the first stream does not end the session."""
    caller = Caller()
    try:
        sent = {"json": {"offer": await offer(caller)}, "headers": KEY | {"Accept": "text/event-stream"}}
        first = await product.post("/session", **sent)
        await first.content.readuntil(b"\n\n")
        second = await product.post("/session", **sent)
        assert second.headers["Location"] == first.headers["Location"]
        await second.content.readuntil(b"\n\n")
        live = product.app.sessions.live("local", second.headers["Location"].rpartition("/")[2])
        first.close()
        await eventually(lambda: live.open_streams == 1)
        assert not live.session.closed
        second.close()
        await eventually(lambda: live.session.closed)
    finally:
        await caller.close()


async def test_preparing_a_session_names_the_same_conversation(product: Product) -> None:
    """A retry gets the same conversation id, although nothing is stored."""
    ids = {(await negotiated(product, json={}))[1]["conversationId"] for _ in range(2)}

    assert len(ids) == 1
