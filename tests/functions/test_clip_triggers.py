"""The triggers of clips in Microsoft's own runtime, which Azure runs."""

import asyncio
import json
import os
import sys
from typing import Any

import pytest

from fakes.eventually import HANG_SECONDS
from tests.conftest import ROOT

SETTINGS = {
    "SPEECH_ENDPOINT": "http://127.0.0.1:9",
    "SPEECH_KEY": "local",
    "OPENAI_ENDPOINT": "http://127.0.0.1:9/v1/",
    "OPENAI_KEY": "local",
    "COSMOS_ENDPOINT": "http://127.0.0.1:9",
    "COSMOS_KEY": "bG9jYWw=",
    "STORAGE_URL": "http://127.0.0.1:9/account",
    "STORAGE_KEY": "bG9jYWw=",
    "PYTHON_ENABLE_INIT_INDEXING": "1",
}
"""Settings without any service behind them: a foreign blob must cause no call."""


async def indexed(**settings: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.functions.runtime_index", str(ROOT), "foreign.txt"),
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "CLIP_SOURCE"} | SETTINGS | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, log = await asyncio.wait_for(process.communicate(), HANG_SECONDS)
    assert process.returncode == 0, log.decode()
    done: dict[str, Any] = json.loads(out.splitlines()[-1])
    return done


@pytest.mark.parametrize("source", ["EventGrid", "LogsAndContainerScan"])
async def test_the_blob_trigger_is_indexed_and_called(source: str) -> None:
    """With either source, the function gets the blob's name, never its content, and ignores a foreign blob."""
    done = await indexed(CLIP_SOURCE=source)
    (binding,) = done["bindings"]["take_clip"]

    assert (binding["type"], binding["path"], binding["source"]) == ("blobTrigger", "clips/{name}", source)
    assert binding["properties"]["SupportsDeferredBinding"]
    assert done["succeeded"]


async def test_event_grid_is_the_default_source() -> None:
    """Without a setting the source is Event Grid; the poison queue of the same account has a trigger too."""
    done = await indexed()
    (blob,), (queue,) = done["bindings"]["take_clip"], done["bindings"]["give_up_clip"]

    assert blob["source"] == "EventGrid"
    assert (queue["type"], queue["queueName"]) == ("queueTrigger", "webjobs-blobtrigger-poison")
    assert queue["connection"] == blob["connection"] == "AzureWebJobsStorage"
