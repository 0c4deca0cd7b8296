"""What the commonest clients get to read when they send too much: scripts/refusals.sh."""

import asyncio
import shutil

import pytest

from tests.conftest import ROOT, ProductWith

CLIENTS = ("urllib", "fetch", "curl", "curl, chunked")
MEGABYTES = ("0.2", "12", "40", "101")


@pytest.mark.skipif(not all(map(shutil.which, ("curl", "node", "python3"))), reason="a client is not installed")
async def test_refusals_reach_real_clients(product_with: ProductWith) -> None:
    """Python's urllib, which closes the connection, Node's fetch, and curl, with and without a length."""
    product = await product_with(body_stall_seconds=0.3)
    process = await asyncio.create_subprocess_exec(
        "scripts/refusals.sh", product.url, *MEGABYTES, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()

    expected = {f"{size} MB, {client}": "413 body-too-large" for size in MEGABYTES for client in CLIENTS}
    expected["stalled, http.client"] = "408 body-stalled"
    assert {line[:24].strip(): line[24:].strip() for line in out.decode().splitlines()} == expected
