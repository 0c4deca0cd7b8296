"""What the commonest clients get to read when they send too much: scripts/refusals.sh."""

import asyncio
import shutil
from dataclasses import replace

from tests.conftest import ROOT, ProductWith
from tests.eventually import PATIENCE_SECONDS

CLIENTS = {"urllib": "python3", "fetch": "node", "curl": "curl", "curl, chunked": "curl"}
"""The program of each."""
MEGABYTES = ("0.2", "12", "40", "101")
STALL_SECONDS = 0.3


async def test_refusals_reach_real_clients(product_with: ProductWith) -> None:
    """Python's urllib, which closes the connection, Node's fetch, and curl, with and without a length."""
    clients = [client for client, program in CLIENTS.items() if shutil.which(program)]
    expected = {f"{size} MB, {client}": "413 body-too-large" for size in MEGABYTES for client in clients}
    product = await product_with(body_stall_seconds=PATIENCE_SECONDS)
    process = await asyncio.create_subprocess_exec(
        "scripts/refusals.sh", product.url, *MEGABYTES, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    lines = [(await process.stdout.readline()).decode() for _ in expected]
    # The client that is left stalls on purpose; on a slow machine the others would seem to.
    product.app.settings = replace(product.app.settings, body_stall_seconds=STALL_SECONDS)
    lines += (await process.stdout.read()).decode().splitlines()
    await process.wait()

    expected["stalled, http.client"] = "408 body-stalled"
    assert {line[:24].strip(): line[24:].strip() for line in lines} == expected
