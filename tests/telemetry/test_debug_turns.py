"""The page of the last turns, which exists only for developers."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import cache

import azure.functions as func
import pytest
from starlette.applications import Starlette

from local_host.functions import host
from tests.conftest import HEARD, ROOT, Product, ProductWith, served
from tests.functions.turns import recording
from tests.telemetry.phone import WAV, timings
from tests.telemetry.test_trace import HEADERS, TRACE
from voice_core.functions.service.debug_turns import blueprint
from voice_core.settings import shows_turns

INDEX = """
import json, function_app
print(json.dumps([each.get_function_name() for each in function_app.app.get_functions()]))
"""


@cache
def showing() -> Starlette:
    """A host with only this page; a blueprint can be indexed once a process."""
    app = func.FunctionApp()
    app.register_functions(blueprint)
    return host(app, ROOT)


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with served(showing()) as base:
        yield f"{base}/api/voice/debug/turns"


async def test_the_last_turns_with_their_times(product_with: ProductWith, url: str) -> None:
    """The page has ids, outcome, and start and end of every part, which agree with Server-Timing, and no words."""
    product = await product_with(debug_turns=True)
    async with product.post("/process", data=recording(), headers=HEADERS | WAV) as response:
        stage_ms = timings(response.headers["Server-Timing"])
    async with product.post("/process", json={}) as response:
        assert response.status == 400
    async with product.http.get(url) as response:
        text = await response.text()

    (turn,) = json.loads(text)["turns"]
    parts = {part["name"]: part for part in turn["parts"]}
    assert (turn["requestId"], turn["outcome"], turn["code"]) == (TRACE, "done", "")
    for stage in ("stt", "assistant", "tts"):
        assert parts[stage]["to"] - parts[stage]["from"] == pytest.approx(stage_ms[stage], abs=0.7)
    assert parts["stt"]["from"] == parts["utterance"]["to"]
    assert {"recognize", "chat", "synthesize", "append"} <= {name for name, part in parts.items() if part["call"]}
    assert HEARD not in text


async def test_no_turn_is_stored_without_the_setting(product: Product, url: str) -> None:
    """Without the setting the page is 404, and no turn is stored in memory."""
    async with product.http.get(url) as response:
        assert response.status == 404

    assert product.app.telemetry.recent is None


@pytest.mark.parametrize(
    ("environ", "there"),
    [
        ({}, False),
        ({"DEBUG_TURNS": "false"}, False),
        ({"DEBUG_TURNS": "true"}, True),
        ({"DEBUG_TURNS": "true", "WEBSITE_SITE_NAME": "voice"}, False),
        ({"DEBUG_TURNS": "1", "WEBSITE_INSTANCE_ID": "one"}, False),
    ],
)
def test_the_page_is_never_served_in_azure(environ: dict[str, str], there: bool) -> None:
    """In Azure the function is not registered, whatever the setting says."""
    assert shows_turns(environ) is there


async def test_no_turn_is_stored_in_azure(product_with: ProductWith) -> None:
    """In Azure the setting does not make a worker store turns."""
    product = await product_with(debug_turns=True, website_instance_id="one")

    assert product.app.telemetry.recent is None


@pytest.mark.parametrize("wanted", ["true", "false"])
def test_the_function_is_indexed_only_with_the_setting(wanted: str) -> None:
    """The function app registers it with the setting, and not without."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", INDEX],
        cwd=ROOT,
        env={**os.environ, "DEBUG_TURNS": wanted},
        capture_output=True,
        check=True,
    )

    assert ("get_turns_seen" in json.loads(done.stdout)) is (wanted == "true")
