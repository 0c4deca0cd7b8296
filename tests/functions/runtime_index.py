"""Indexes function_app in azure-functions-runtime, calls its blob trigger, and prints bindings and outcome.

Usage: ``python -m tests.functions.runtime_index FOLDER BLOB``: the function is notified of that blob as by the host.
"""

import asyncio
import json
import os
import sys
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import azure_functions_runtime as runtime

from tests.functions.runtime_driver import StatusResult, request_message


async def main(folder: str, blob: str) -> None:
    sys.path.append(folder)
    runtime.start_threadpool_executor()
    started = await runtime.worker_init_request(
        request_message(worker_init_request=SimpleNamespace(capabilities={}, function_app_directory=folder))
    )
    metadata = await runtime.functions_metadata_request(request_message())
    if StatusResult.Failure in (started.result.status, metadata.result.status):
        sys.exit(f"{started.result.exception or metadata.result.exception}")
    functions = {function.name: function for function in metadata.function_metadata_results}
    bindings = {name: [json.loads(raw) for raw in function.raw_bindings] for name, function in functions.items()}
    done = await runtime.invocation_request(_upload_message(functions["take_clip"], blob))
    succeeded = done.result.status == StatusResult.Success
    print(json.dumps({"bindings": bindings, "succeeded": succeeded}), flush=True)  # noqa: T201 - to the test
    os._exit(0)


def _upload_message(function: Any, blob: str) -> Any:
    content = json.dumps({"Connection": "AzureWebJobsStorage", "ContainerName": "clips", "BlobName": blob}).encode()
    reference = SimpleNamespace(
        version="1.0", source="AzureStorageBlobs", content_type="application/json", content=content
    )
    data = SimpleNamespace(model_binding_data=reference, WhichOneof=lambda _: "model_binding_data")
    return request_message(
        invocation_request=SimpleNamespace(
            invocation_id=str(uuid4()),
            function_id=function.function_id,
            input_data=[SimpleNamespace(name="uploaded", data=data, WhichOneof=lambda _: "data")],
            trigger_metadata={},
            trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
            retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
        )
    )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
