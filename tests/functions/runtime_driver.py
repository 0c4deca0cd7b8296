"""Runs function_app in azure-functions-runtime, the code that Azure itself runs, and prints its responses.

The runtime takes its message classes from its host: in Azure they are protobuf's, here they are simple namespaces.
Usage: ``python -m tests.functions.runtime_driver FOLDER``, with the app's settings in the environment.
"""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import azure_functions_runtime as runtime

from tests.functions.writers import Request, refusal

TOO_LARGE = 12_000_000
"""Bytes of a text that is too large, and more than the sockets between a client and a server can buffer."""


class Message(SimpleNamespace):
    """A message whose unset fields are None, where protobuf's are absent."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - protobuf's name
        return next((name for name, value in vars(self).items() if value is not None), None)


class StatusResult(Message):
    Failure, Success, Cancelled = 0, 1, 2


class BindingInfo(Message):
    out, inout, undefined = 1, 2, 0


setattr(BindingInfo, "in", 0)


class Protos:
    """Every message class that the runtime looks up."""

    StatusResult = StatusResult
    BindingInfo = BindingInfo

    def __getattr__(self, name: str) -> type[Message]:
        return type(name, (Message,), {})


PROTOS = Protos()


def request_message(**request: Any) -> Any:
    return SimpleNamespace(request=SimpleNamespace(**request), properties={"host": "127.0.0.1", "protos": PROTOS})


@dataclass(frozen=True)
class Call:
    """A request whose response is read while it is sent, or with *writes_first* after that."""

    name: str
    method: str
    path: str
    body: bytes = b""
    accept: str = "*/*"
    writes_first: bool = False

    async def exchange(self, base: str, headers: dict[str, str]) -> tuple[int, list[str]]:
        """The status, and the chunks of the body as they arrived."""
        headers = headers | {"Accept": self.accept}
        if self.writes_first:
            request = Request(self.path, self.method, headers, self.body, len(self.body))
            read = await asyncio.to_thread(refusal, base, request, closes=True)
            return read.status, [read.body.decode()]
        async with (
            aiohttp.ClientSession() as session,
            session.request(self.method, base + self.path, data=self.body, headers=headers) as answer,
        ):
            return answer.status, [chunk.decode() async for chunk in answer.content.iter_any()]


async def invoke(functions: dict[str, Any], base: str, call: Call) -> dict[str, Any]:
    """Call one function as the host does: a message over one channel, the HTTP request over the other."""
    function, invocation_id = functions[call.name], str(uuid4())
    trigger = next(b for b in map(json.loads, function.raw_bindings) if b["type"] == "httpTrigger")
    http = SimpleNamespace(
        method=call.method,
        url=call.path,
        headers={},
        params={},
        query={},
        body=SimpleNamespace(WhichOneof=lambda _: None),
    )
    data = SimpleNamespace(http=http, WhichOneof=lambda _: "http")
    invocation = runtime.invocation_request(
        request_message(
            invocation_request=SimpleNamespace(
                invocation_id=invocation_id,
                function_id=function.function_id,
                input_data=[SimpleNamespace(name=trigger["name"], data=data, WhichOneof=lambda _: "data")],
                trigger_metadata={},
                trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
                retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
            )
        )
    )
    invoked = asyncio.ensure_future(invocation)
    status, chunks = await call.exchange(base, {"x-ms-invocation-id": invocation_id})
    succeeded = (await invoked).result.status == StatusResult.Success
    return {"name": call.name, "status": status, "chunks": chunks, "succeeded": succeeded}


async def listening(base: str) -> None:
    """Wait until the runtime's HTTP server, which starts in the background, accepts connections."""
    url = urlsplit(base)
    async with asyncio.timeout(120):
        while True:
            try:
                _, writer = await asyncio.open_connection(url.hostname, url.port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return


async def main(folder: str) -> None:
    sys.path.append(folder)
    runtime.start_threadpool_executor()
    started = await runtime.worker_init_request(
        request_message(worker_init_request=SimpleNamespace(capabilities={}, function_app_directory=folder))
    )
    if started.result.status != StatusResult.Success:
        sys.exit(f"{started.result.exception.message}\n{started.result.exception.stack_trace}")
    metadata = await runtime.functions_metadata_request(request_message())
    functions = {function.name: function for function in metadata.function_metadata_results}
    base = started.capabilities["HttpUri"]
    await listening(base)
    recording = sys.stdin.buffer.read()
    calls = (
        Call("get_health", "GET", "/api/voice/health"),
        Call("post_process", "POST", "/api/voice/process", recording, "text/event-stream"),
        Call("post_speak", "POST", "/api/voice/speak", bytes(TOO_LARGE), writes_first=True),
    )
    answers = [await invoke(functions, base, call) for call in calls]
    print(json.dumps({"functions": sorted(functions), "answers": answers}), flush=True)  # noqa: T201 - to the test
    os._exit(0)  # the runtime's HTTP server cannot be stopped


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
