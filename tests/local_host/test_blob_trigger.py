"""The local host's blob trigger: at-least-once delivery by polling or by Event Grid, and poison messages."""

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

from fakes.eventually import HANG_SECONDS, eventually
from local_host.blob_trigger import HOST_CONTAINER, POISON, QUEUE, BlobTriggers, Pace
from tests.conftest import Account
from voice_core.functions.clip.blob_reference import BlobReference

PACE = Pace(poll_seconds=0.02, hidden_seconds=1, most_failures=3)


@dataclass
class RecordingApp:
    """A function app that records the arguments of its calls, and fails in the first *failures* calls."""

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
async def running(app_under_test: RecordingApp, account: Account) -> AsyncIterator[BlobTriggers]:
    triggers = BlobTriggers(app_under_test.functions(), account.connection, PACE)
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
    """Wait until no message is queued or in progress, and *receipts* receipts are stored."""
    async with (
        BlobServiceClient.from_connection_string(account.connection) as blobs,
        QueueClient.from_connection_string(account.connection, QUEUE) as queue,
        asyncio.timeout(HANG_SECONDS),
    ):
        receipt_container = blobs.get_container_client(HOST_CONTAINER)
        while [1 async for _ in receipt_container.list_blobs()] != [1] * receipts or await _queued(queue):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def _queued(queue: QueueClient) -> int:
    return int((await queue.get_queue_properties()).approximate_message_count or 0)


async def test_each_version_of_a_blob_is_delivered_once(account: Account, upload: Upload) -> None:
    """New blobs and new versions are delivered once, also those from before the start; each has a receipt."""
    app_under_test = RecordingApp()
    await upload("ann/1", b"a")
    async with running(app_under_test, account):
        await eventually(lambda: app_under_test.blobs == ["ann/1"])
        await upload("ann/1", b"b")
        await eventually(lambda: app_under_test.blobs == ["ann/1"] * 2)
        await settled(account, receipts=2)
    again = RecordingApp()
    async with running(again, account):
        await upload("ann/2", b"c")
        await eventually(lambda: again.blobs)
    assert again.blobs == ["ann/2"]


async def test_a_function_that_fails_is_called_again(account: Account, upload: Upload) -> None:
    """A function that fails is called again until it succeeds."""
    app_under_test = RecordingApp(failures=2)
    async with running(app_under_test, account):
        await upload("ann/1", b"a")
        await eventually(lambda: len(app_under_test.blobs) == 3)
    assert not app_under_test.poison


async def test_malformed_messages_do_not_block_a_queue(account: Account, upload: Upload) -> None:
    """Messages behind a malformed one are processed, in the event queue and in the poison queue."""
    app_under_test = RecordingApp(failures=PACE.most_failures)
    for name in (QUEUE, POISON):
        async with QueueClient.from_connection_string(account.connection, name) as queue:
            await queue.create_queue()
            await queue.send_message("rubbish")
    async with running(app_under_test, account):
        await upload("ann/1", b"a")
        await eventually(lambda: app_under_test.poison)
    assert [message["BlobName"] for message in app_under_test.poison] == ["ann/1"]


async def test_an_event_that_fails_too_often_is_poison(account: Account, upload: Upload) -> None:
    """An event that fails too often is moved to the poison queue, with the blob's name."""
    app_under_test = RecordingApp(failures=99)
    async with running(app_under_test, account):
        await upload("ann/1", b"a")
        await eventually(lambda: app_under_test.poison)
    assert len(app_under_test.blobs) == PACE.most_failures
    assert (app_under_test.poison[0]["ContainerName"], app_under_test.poison[0]["BlobName"]) == ("clips", "ann/1")


async def test_an_event_is_redelivered_after_a_crash(account: Account, upload: Upload) -> None:
    """An event whose worker crashed is delivered again after its visibility timeout."""
    dying = RecordingApp(hangs=asyncio.Event())
    async with running(dying, account):
        await upload("ann/1", b"a")
        await eventually(lambda: dying.blobs)
    app_under_test = RecordingApp()
    async with running(app_under_test, account):
        await eventually(lambda: app_under_test.blobs == ["ann/1"])


async def test_event_grid_events_are_not_checked(account: Account, upload: Upload) -> None:
    """A function with that source is called for each event posted to the webhook, and its container is not polled."""
    app_under_test = RecordingApp(func.BlobSource.EVENT_GRID)
    etag = await upload("ann/1", b"a")
    event = {"data": {"url": f"{account.url}/clips/ann/1", "eTag": etag}}
    validation = {"data": {"validationCode": "512"}}
    async with running(app_under_test, account) as triggers:
        url = await _posting(triggers)
        assert (await url("take", [validation], "SubscriptionValidation"))[1] == {"validationResponse": "512"}
        assert (await url("nothing", [event], "Notification"))[0] == 404
        for _ in range(3):
            assert (await url("take", [event], "Notification"))[0] == 202
        await eventually(lambda: app_under_test.blobs == ["ann/1"] * 3)


async def _posting(triggers: BlobTriggers) -> Callable[..., Any]:
    """A function that posts events as Event Grid does."""
    transport = ASGITransport(Starlette(routes=[Route("/blobs", triggers.webhook, methods=["POST"])]))

    async def post(function: str, events: list[dict[str, Any]], kind: str) -> tuple[int, Any]:
        async with AsyncClient(transport=transport, base_url="http://host") as client:
            response = await client.post(
                f"/blobs?functionName=Host.Functions.{function}", json=events, headers={"aeg-event-type": kind}
            )
            return response.status_code, response.json() if response.content else None

    return post
