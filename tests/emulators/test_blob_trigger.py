"""The local host's blob trigger: told at least once, by polling or by Event Grid, and poisoned in the end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import azure.functions as func
import pytest
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueClient
from httpx2 import ASGITransport, AsyncClient
from starlette.applications import Starlette
from starlette.routing import Route

from emulators.blob_trigger import HOST_CONTAINER, POISON, QUEUE, BlobTriggers, Pace
from tests.conftest import Account
from tests.eventually import PATIENCE_SECONDS, eventually
from voice_core.functions.clip.blob_reference import BlobReference

PACE = Pace(look=0.02, hidden=1, most_failures=3)


@dataclass
class Told:
    """A function app that notes what it is called with, and fails as often as it is told to."""

    source: func.BlobSource = func.BlobSource.LOGS_AND_CONTAINER_SCAN
    failures: int = 0
    blobs: list[str] = field(default_factory=list)
    poison: list[dict[str, Any]] = field(default_factory=list)
    hangs: asyncio.Event | None = None

    def functions(self) -> list[Any]:
        app = func.FunctionApp()

        @app.blob_trigger(arg_name="blob", path="clips/{name}", connection="Storage", source=self.source)
        async def take(blob: BlobReference) -> None:
            self.blobs.append(blob.name)
            if self.hangs:
                await self.hangs.wait()
            if self.failures:
                self.failures -= 1
                raise ValueError("not now")

        @app.queue_trigger(arg_name="message", queue_name="webjobs-blobtrigger-poison", connection="Storage")
        async def give_up(message: func.QueueMessage) -> None:
            self.poison.append(message.get_json())

        functions: list[Any] = app.get_functions()
        return functions


@asynccontextmanager
async def running(told: Told, account: Account) -> AsyncIterator[BlobTriggers]:
    triggers = BlobTriggers(told.functions(), account.connection, PACE)
    async with triggers.running():
        yield triggers


@pytest.fixture
async def upload(account: Account) -> AsyncIterator[Callable[[str, bytes], Any]]:
    async with BlobServiceClient.from_connection_string(account.connection) as client:
        container = await client.create_container("clips")

        async def put(name: str, data: bytes) -> str:
            blob = await container.upload_blob(name, data, overwrite=True)
            return str((await blob.get_blob_properties()).etag)

        yield put


Upload = Callable[[str, bytes], Any]


async def settled(account: Account, receipts: int) -> None:
    """Nothing is queued or under way any more, and so many receipts are kept."""
    async with (
        BlobServiceClient.from_connection_string(account.connection) as blobs,
        QueueClient.from_connection_string(account.connection, QUEUE) as queue,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        kept = blobs.get_container_client(HOST_CONTAINER)
        while [1 async for _ in kept.list_blobs()] != [1] * receipts or await _queued(queue):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def _queued(queue: QueueClient) -> int:
    return int((await queue.get_queue_properties()).approximate_message_count or 0)


async def test_each_version_of_a_blob_is_told_once(account: Account, upload: Upload) -> None:
    """New blobs and new versions of old ones, also those that came while nobody looked; a receipt is kept of each."""
    told = Told()
    await upload("ann/1", b"a")
    async with running(told, account):
        await eventually(lambda: told.blobs == ["ann/1"])
        await upload("ann/1", b"b")
        await eventually(lambda: told.blobs == ["ann/1"] * 2)
        await settled(account, receipts=2)
    again = Told()
    async with running(again, account):
        await upload("ann/2", b"c")
        await eventually(lambda: again.blobs)
    assert again.blobs == ["ann/2"]


async def test_a_function_that_fails_is_called_again(account: Account, upload: Upload) -> None:
    """Until it does not."""
    told = Told(failures=2)
    async with running(told, account):
        await upload("ann/1", b"a")
        await eventually(lambda: len(told.blobs) == 3)
    assert not told.poison


async def test_rubbish_in_a_queue_is_not_in_the_way(account: Account, upload: Upload) -> None:
    """Neither among events nor among those that were given up: what is behind it is taken."""
    told = Told(failures=PACE.most_failures)
    for name in (QUEUE, POISON):
        async with QueueClient.from_connection_string(account.connection, name) as queue:
            await queue.create_queue()
            await queue.send_message("rubbish")
    async with running(told, account):
        await upload("ann/1", b"a")
        await eventually(lambda: told.poison)
    assert [message["BlobName"] for message in told.poison] == ["ann/1"]


async def test_what_fails_too_often_is_poison(account: Account, upload: Upload) -> None:
    """The queue of such events is told the blob's name."""
    told = Told(failures=99)
    async with running(told, account):
        await upload("ann/1", b"a")
        await eventually(lambda: told.poison)
    assert len(told.blobs) == PACE.most_failures
    assert (told.poison[0]["ContainerName"], told.poison[0]["BlobName"]) == ("clips", "ann/1")


async def test_an_event_whose_worker_died_comes_again(account: Account, upload: Upload) -> None:
    """When it was not heard of for a while."""
    dying = Told(hangs=asyncio.Event())
    async with running(dying, account):
        await upload("ann/1", b"a")
        await eventually(lambda: dying.blobs)
    told = Told()
    async with running(told, account):
        await eventually(lambda: told.blobs == ["ann/1"])


async def test_event_grid_is_believed(account: Account, upload: Upload) -> None:
    """A function of that source is told what is posted to the webhook, as often as it is; nobody looks for it."""
    told = Told(func.BlobSource.EVENT_GRID)
    etag = await upload("ann/1", b"a")
    event = {"data": {"url": f"{account.url}/clips/ann/1", "eTag": etag}}
    validation = {"data": {"validationCode": "512"}}
    async with running(told, account) as triggers:
        url = await _posting(triggers)
        assert (await url("take", [validation], "SubscriptionValidation"))[1] == {"validationResponse": "512"}
        assert (await url("nothing", [event], "Notification"))[0] == 404
        for _ in range(3):
            assert (await url("take", [event], "Notification"))[0] == 202
        await eventually(lambda: told.blobs == ["ann/1"] * 3)


async def _posting(triggers: BlobTriggers) -> Callable[..., Any]:
    """Posts events as Event Grid does."""
    transport = ASGITransport(Starlette(routes=[Route("/blobs", triggers.webhook, methods=["POST"])]))

    async def post(function: str, events: list[dict[str, Any]], kind: str) -> tuple[int, Any]:
        async with AsyncClient(transport=transport, base_url="http://host") as client:
            answer = await client.post(
                f"/blobs?functionName=Host.Functions.{function}", json=events, headers={"aeg-event-type": kind}
            )
            return answer.status_code, answer.json() if answer.content else None

    return post
