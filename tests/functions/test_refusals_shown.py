"""The responses that common clients receive when they send too much: scripts/refusals.sh."""

import asyncio
import shutil
from dataclasses import replace

import pytest

from fakes.eventually import HANG_SECONDS
from tests.conftest import ROOT, WAYS, ProductWith, reached

pytestmark = pytest.mark.direct

CLIENTS = {"urllib": "python3", "fetch": "node", "curl": "curl", "curl, chunked": "curl"}
"""Clients of scripts/refusals.sh, and the program that each needs."""
MEGABYTES = ("0.2", "12", "40", "101")
STALL_SECONDS = 0.3


@pytest.mark.parametrize("way", WAYS)
async def test_refusals_reach_real_clients(product_with: ProductWith, way: str) -> None:
    """Python's urllib, which closes the connection, Node's fetch, and curl with and without a length receive 413."""
    clients = [client for client, program in CLIENTS.items() if shutil.which(program)]
    expected = {f"{size} MB, {client}": "413 body-too-large" for size in MEGABYTES for client in clients}
    # Behind a front, the host refuses a stalled body, and has no problem document.
    expected_of_stalled = "408 body-stalled" if way == "directly" else "an empty response"
    product = await product_with(body_stall_seconds=HANG_SECONDS)
    async with reached(product, way) as there:
        process = await asyncio.create_subprocess_exec(
            "scripts/refusals.sh", there.url, *MEGABYTES, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout
        lines = [(await process.stdout.readline()).decode() for _ in expected]
        # Only the last client stalls on purpose. With so short a limit, the others would seem to on a slow machine.
        product.app.settings = replace(product.app.settings, body_stall_seconds=STALL_SECONDS)
        lines += (await process.stdout.read()).decode().splitlines()
        await process.wait()

    expected["stalled, http.client"] = expected_of_stalled
    assert {line[:24].strip(): line[24:].strip() for line in lines} == expected
