"""A session through a TURN relay only, over TCP, as for clients outside Azure in production."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.eventually import HANG_SECONDS
from fakes.webrtc import Caller
from tests.conftest import Product
from tests.functions.calls import call, servers, speak

SECRET = "shared with the relay"
TURNSERVER = shutil.which("turnserver")


@asynccontextmanager
async def relay(folder: Path) -> AsyncIterator[str]:
    """The URL of a coturn server on this machine only, over TCP only."""
    assert TURNSERVER is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        TURNSERVER,
        *("-n", "--no-udp", "--no-tls", "--no-dtls", "--no-cli", "--allow-loopback-peers", "--log-file=stdout"),
        *("--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}", "--realm=voice"),
        *("--use-auth-secret", f"--static-auth-secret={SECRET}"),
        *(f"--pidfile={folder / 'pid'}", f"--userdb={folder / 'users'}"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _accepts(port)
        yield f"turn:127.0.0.1:{port}?transport=tcp"
    finally:
        process.terminate()
        await process.wait()


async def _accepts(port: int) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.transport.abort()
                return


@pytest.mark.skipif(TURNSERVER is None, reason="coturn is not installed")
async def test_a_turn_through_a_relay_alone(product: Product, tmp_path: Path) -> None:
    """Both sides have no other address; credentials are created for each session, and forged ones are refused."""
    async with relay(tmp_path) as url:
        product.app.settings = replace(product.app.settings, turn_urls=url, turn_secret=SECRET, ice_relay_only=True)
        async with product.post("/session", json={}) as response:
            prepared = await response.json()
        caller = Caller(servers(prepared["iceServers"]), relay_only=True)
        async with call(product, caller, conversationId=prepared["conversationId"]) as (_, document):
            caller.press()
            await speak(caller)
            caller.release()
            done = await caller.received("turn.done")

        forged = Caller(servers([{**prepared["iceServers"][0], "credential": "made up"}]), relay_only=True)
        assert " typ " not in await forged.offer()
        await forged.close()

    assert done["transcription"]
    assert caller.sound()
    assert document["iceServers"][0]["username"] != prepared["iceServers"][0]["username"]
    addresses = [line for line in document["answer"]["sdp"].splitlines() if line.startswith("a=candidate")]
    assert addresses
    assert all(" typ relay raddr 0.0.0.0 " in line for line in addresses)
