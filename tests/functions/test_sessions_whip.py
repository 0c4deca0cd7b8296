"""A WHIP client of a third party: Meetecho's, on GStreamer, as Debian packages it."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from fakes.eventually import HANG_SECONDS
from tests.conftest import HEARD, ROOT, Product

CLIENT, COMPILER = shutil.which("whip-client"), shutil.which("cc")

pytestmark = pytest.mark.skipif(
    CLIENT is None or COMPILER is None or sys.platform != "linux", reason="simple-whip-client or cc is not installed"
)

SENTENCE = f"filesrc location={ROOT / 'samples' / 'hello.wav'} ! wavparse ! identity sync=true"
ITS_INPUT = "fdsrc fd=0 ! rawaudioparse pcm-format=s16le sample-rate=48000 num-channels=1 ! identity sync=true"
OPUS = (
    "audioconvert ! audioresample ! queue ! opusenc ! rtpopuspay pt=100"
    " ! queue ! valve name=last ! application/x-rtp,media=audio,encoding-name=OPUS,payload=100"
)
NO_UPNP = "\n".join(
    f"void *gupnp_simple_igd_{name}(void) {{ return 0; }}"
    for name in ("add_port", "get_type", "remove_port_local", "thread_new")
)


async def without_upnp(folder: Path) -> dict[str, str]:
    """An environment in which libnice has no UPnP.

    In Debian 12 UPnP would load libsoup 3, which refuses to run in one process with the client's libsoup 2.
    """
    assert COMPILER is not None
    source, library = folder / "upnp.c", folder / "libgupnp-igd-1.0.so.4"
    source.write_text(NO_UPNP)
    compiling = await asyncio.create_subprocess_exec(
        COMPILER, "-shared", "-fPIC", f"-Wl,-soname,{library.name}", "-o", str(library), str(source)
    )
    assert await compiling.wait() == 0
    return {**os.environ, "LD_LIBRARY_PATH": str(folder), "GST_REGISTRY": str(folder / "registry")}


@asynccontextmanager
async def whip_client(url: str, sound: str, folder: Path, *flags: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A WHIP client in a session with the product at *url*; *sound* is the beginning of a GStreamer pipeline."""
    assert CLIENT is not None
    process = await asyncio.create_subprocess_exec(
        CLIENT,
        *("-u", f"{url}/session", "-A", f"{sound} ! {OPUS}", "-l", "6", "-o", *flags),
        env=await without_upnp(folder),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.mark.parametrize("trickles", [True, False])
async def test_it_negotiates_connects_and_tears_down(product: Product, tmp_path: Path, trickles: bool) -> None:
    """It offers, sends its addresses by PATCH or in the offer, connects, and deletes the session when it leaves."""
    # It leaves at the end of its sound. Its signal handler calls functions that are not safe there, and could hang.
    leaves = ("-e", "last")
    async with whip_client(product.url, ITS_INPUT, tmp_path, *leaves, *([] if trickles else ["-n"])) as client:
        assert client.stdin is not None
        client.stdin.write(bytes(96_000))
        sent = ["Sending candidates: end-of-candidates"] if trickles else []
        log = await _until(client, "PeerConnection connected", *sent)
        assert (await _session(product, log))["state"] != "negotiating"
        client.stdin.close()
        log += await _until(client, "Disconnecting from server")
        ended = await _ended(product, log)
    assert ended["reason"] in ("deleted", "client-left")
    assert "ERR" not in "".join(log)


async def test_its_utterance_becomes_a_stored_turn(product: Product, tmp_path: Path) -> None:
    """It only sends, and sends nothing after its words: the turn ends nevertheless, and is stored completely."""
    async with whip_client(product.url, SENTENCE, tmp_path) as client:
        log = await _until(client, "PeerConnection connected")
        turn = await _first_turn(product, (await _session(product, log))["conversationId"])
    assert turn["transcription"] == HEARD
    assert turn["responseText"]
    assert turn["interrupted"] is False


async def _session(product: Product, log: Sequence[str]) -> dict[str, Any]:
    """The state of the session that a client's *log* names."""
    path = next(line for line in log if "Resource URL" in line).strip().partition("/api/voice")[2]
    async with product.get(path) as response:
        document: dict[str, Any] = await response.json()
        return document


async def _ended(product: Product, log: Sequence[str]) -> dict[str, Any]:
    """The state of the session that a client's *log* names, once it is closed."""
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            state = await _session(product, log)
            if state["state"] == "closed":
                return state
            await asyncio.sleep(0.1)


async def _first_turn(product: Product, conversation: str) -> dict[str, Any]:
    """The first turn of a *conversation*, which may not exist yet."""
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            async with product.get(f"/conversations/{conversation}") as response:
                if response.status == 200:
                    turn: dict[str, Any] = (await response.json())["turns"][0]
                    return turn
            await asyncio.sleep(0.1)


async def _until(client: asyncio.subprocess.Process, *words: str) -> list[str]:
    """The lines of a client's log until each of *words* has appeared, in any order."""
    assert client.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(HANG_SECONDS):
        while not all(any(each in line for line in lines) for each in words):
            line = (await client.stdout.readline()).decode()
            assert line, "".join(lines)
            lines.append(line)
    return lines
