"""Calls blob-triggered functions as the Functions host does, with its queue and receipts in the same storage account.

A function with the source ``LogsAndContainerScan`` is called for each version of each blob in its container; one with
the source Event Grid is called for each event that is posted to `webhook`. Either way a message is queued first, and a
worker takes it from the queue. When the function fails, the message becomes visible again; when it has failed too
often, it moves to the poison queue. A message whose worker crashed becomes visible again when its visibility timeout
has passed. So events are delivered at least once.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import unquote, urlsplit

import azure.functions as func
from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueClient
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local_host.triggers import TriggeredFunction, blob_argument, triggered_function

HOST_CONTAINER = "azure-webjobs-hosts"
QUEUE = "azure-webjobs-blobtrigger-local"
POISON = "webjobs-blobtrigger-poison"
VALIDATION = "SubscriptionValidation"

logger = logging.getLogger("host")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Intervals and limits. The real host's three intervals are 10, 600 and 0 s."""

    poll_seconds: float = 1.0
    """Time between two polls of containers and queues."""
    hidden_seconds: int = 30
    """Visibility timeout: a message whose worker stops renewing it becomes visible again after this."""
    retry_seconds: int = 0
    """A message whose function failed becomes visible again after this."""
    most_failures: int = 5
    concurrent: int = 8


class BlobTriggers:
    """The blob and poison queue triggers of *functions*, on the storage account of a *connection* string."""

    def __init__(self, functions: Sequence[Any], connection: str, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()
        self._triggers = {found.name: found for function in functions if (found := triggered_function(function))}
        self._blobs = BlobServiceClient.from_connection_string(connection, retry_total=0)
        self._queue = QueueClient.from_connection_string(connection, QUEUE, retry_total=0)
        self._poison = QueueClient.from_connection_string(connection, POISON, retry_total=0)
        self._free = asyncio.Semaphore(self._pace.concurrent)
        self._working: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Poll and work until the block is left; when storage is unavailable, the next poll tries again."""
        loops = [asyncio.create_task(self._forever(step)) for step in (self._scan, self._take, self._take_poison)]
        try:
            yield
        finally:
            for task in (*loops, *self._working):
                task.cancel()
            await asyncio.gather(*loops, *self._working, return_exceptions=True)
            for client in (self._blobs, self._queue, self._poison):
                await client.close()

    async def webhook(self, request: Request) -> Response:
        """``/runtime/webhooks/blobs?functionName=Host.Functions.NAME``: Event Grid posts its blob events here."""
        events, name = await request.json(), request.query_params.get("functionName", "")
        if request.headers.get("aeg-event-type") == VALIDATION:
            return JSONResponse({"validationResponse": events[0]["data"]["validationCode"]})
        function = name.removeprefix("Host.Functions.")
        if function not in self._triggers:
            return Response(status_code=404)
        for event in events:
            await self.take_event(function, event)
        return Response(status_code=202)

    async def take_event(self, function: str, event: Mapping[str, Any]) -> None:
        """Queue ``Microsoft.Storage.BlobCreated``, an *event* from Event Grid, for a *function*."""
        container, _, name = unquote(urlsplit(event["data"]["url"]).path).lstrip("/").partition("/")
        if self._blobs.account_name == container:
            # The emulator has the account in the path.
            container, _, name = name.partition("/")
        await self._enqueue(self._triggers[function], container, name, event["data"]["eTag"])

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            with suppress(AzureError):
                await step()
            await asyncio.sleep(self._pace.poll_seconds)

    async def _scan(self) -> None:
        """Queue new blobs, then store a receipt: after a crash in between, the event comes twice rather than never."""
        for trigger in self._triggers.values():
            if not trigger.scans:
                continue
            container = self._blobs.get_container_client(trigger.container)
            async for blob in container.list_blobs():
                receipt = self._blobs.get_blob_client(HOST_CONTAINER, _receipt(trigger, blob.name, blob.etag))
                if not await receipt.exists():
                    await self._enqueue(trigger, trigger.container, blob.name, blob.etag)
                    await self._note(receipt)

    async def _note(self, receipt: Any) -> None:
        with suppress(ResourceExistsError):
            await self._blobs.create_container(HOST_CONTAINER)
        await receipt.upload_blob(b"", overwrite=True)

    async def _enqueue(self, trigger: TriggeredFunction, container: str, name: str, etag: str) -> None:
        message = {
            "Type": "BlobTrigger",
            "FunctionId": f"Host.Functions.{trigger.name}",
            "BlobType": "BlockBlob",
            "ContainerName": container,
            "BlobName": name,
            "ETag": etag.strip('"'),
        }
        await _send(self._queue, json.dumps(message))

    async def _take(self) -> None:
        await self._free.acquire()
        try:
            message = await _received(self._queue, self._pace.hidden_seconds)
            while message is not None:
                self._start(message)
                await self._free.acquire()
                message = await _received(self._queue, self._pace.hidden_seconds)
        finally:
            self._free.release()

    def _start(self, message: Any) -> None:
        task = asyncio.create_task(self._work(message))
        self._working.add(task)
        task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self._free.release()
        if not task.cancelled() and (error := task.exception()):
            logger.warning("a message could not be returned to its queue: %s", error)

    async def _work(self, message: Any) -> None:
        try:
            event = json.loads(message.content)
            trigger = self._triggers[event["FunctionId"].removeprefix("Host.Functions.")]
        except (ValueError, KeyError, TypeError):
            logger.exception("a message of another format was dropped")
            await self._queue.delete_message(message.id, message.pop_receipt)
            return
        hiding = asyncio.create_task(self._renew_lease(message))
        try:
            if await self._is_current(trigger, event):
                await trigger.call(**{trigger.binding["name"]: blob_argument(trigger, event)})
        except Exception:
            logger.exception("%s failed", trigger.name)
            hiding.cancel()
            await self._return_or_poison(message)
        else:
            hiding.cancel()
            await self._queue.delete_message(message.id, message.pop_receipt)

    async def _renew_lease(self, message: Any) -> None:
        """Keep the message invisible to other workers while this one lives."""
        while True:
            await asyncio.sleep(self._pace.hidden_seconds / 3)
            with suppress(HttpResponseError):
                renewed = await self._queue.update_message(message, visibility_timeout=self._pace.hidden_seconds)
                message.pop_receipt = renewed.pop_receipt

    async def _is_current(self, trigger: TriggeredFunction, event: Mapping[str, str]) -> bool:
        """Whether the event is about the blob's current version; an event from Event Grid is not checked."""
        if not trigger.scans:
            return True
        try:
            found = await self._blobs.get_blob_client(event["ContainerName"], event["BlobName"]).get_blob_properties()
        except ResourceNotFoundError:
            return False
        return bool(found.etag.strip('"') == event["ETag"])

    async def _return_or_poison(self, message: Any) -> None:
        if message.dequeue_count < self._pace.most_failures:
            await self._queue.update_message(message, visibility_timeout=self._pace.retry_seconds)
            return
        await _send(self._poison, message.content)
        await self._queue.delete_message(message.id, message.pop_receipt)

    async def _take_poison(self) -> None:
        for trigger in self._triggers.values():
            if trigger.binding["type"] == "queueTrigger" and trigger.binding["queueName"] == POISON:
                while message := await _received(self._poison, self._pace.hidden_seconds):
                    await self._process_poison(trigger, message)

    async def _process_poison(self, trigger: TriggeredFunction, message: Any) -> None:
        """Call the function for poison messages; when it fails, the message is retried up to the same limit."""
        try:
            await trigger.call(**{trigger.binding["name"]: func.QueueMessage(body=message.content.encode())})
        except Exception:
            logger.exception("%s failed", trigger.name)
            if message.dequeue_count < self._pace.most_failures:
                return
        await self._poison.delete_message(message)


def _receipt(trigger: TriggeredFunction, blob: str, etag: str) -> str:
    version = etag.strip('"')
    return f"blobreceipts/{trigger.name}/{version}/{sha256(f'{trigger.container}/{blob}'.encode()).hexdigest()}"


async def _received(queue: QueueClient, hidden_seconds: int) -> Any:
    try:
        return await queue.receive_message(visibility_timeout=hidden_seconds)
    except ResourceNotFoundError:
        return None


async def _send(queue: QueueClient, text: str) -> None:
    try:
        await queue.send_message(text)
    except ResourceNotFoundError:
        with suppress(ResourceExistsError):
            await queue.create_queue()
        await queue.send_message(text)
