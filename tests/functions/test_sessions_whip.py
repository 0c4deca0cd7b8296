"""A WHIP client that nobody here wrote: Meetecho's, on GStreamer, as Debian packages it."""

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from benchmarks.processes import child

CLIENT, COMPILER = shutil.which("whip-client"), shutil.which("cc")
AUDIO = (
    "audiotestsrc is-live=true wave=red-noise ! audioconvert ! audioresample ! queue ! opusenc ! rtpopuspay pt=100"
    " ! queue ! application/x-rtp,media=audio,encoding-name=OPUS,payload=100"
)
NO_UPNP = "\n".join(
    f"void *gupnp_simple_igd_{name}(void) {{ return 0; }}"
    for name in ("add_port", "get_type", "remove_port_local", "thread_new")
)


async def without_upnp(folder: Path) -> dict[str, str]:
    """An environment in which libnice comes without UPnP.

    In Debian 12 that would load libsoup 3, which refuses to live in one process with the client's libsoup 2.
    """
    assert COMPILER is not None
    source, library = folder / "upnp.c", folder / "libgupnp-igd-1.0.so.4"
    source.write_text(NO_UPNP)
    compiling = await asyncio.create_subprocess_exec(
        COMPILER, "-shared", "-fPIC", f"-Wl,-soname,{library.name}", "-o", str(library), str(source)
    )
    assert await compiling.wait() == 0
    return {**os.environ, "LD_LIBRARY_PATH": str(folder), "GST_REGISTRY": str(folder / "registry")}


@pytest.mark.skipif(
    CLIENT is None or COMPILER is None or sys.platform != "linux", reason="simple-whip-client or cc is not installed"
)
@pytest.mark.parametrize("trickles", [True, False])
async def test_it_negotiates_connects_and_tears_down(tmp_path: Path, trickles: bool) -> None:
    """It offers, sends its addresses by PATCH or in the offer, connects, and deletes the session when it leaves."""
    assert CLIENT is not None
    async with child("benchmarks.server", "scripted") as server:
        url = f"{server.told['url']}/api/voice/session"
        process = await asyncio.create_subprocess_exec(
            CLIENT,
            *("-u", url, "-A", AUDIO, "-l", "6", "-o", *([] if trickles else ["-n"])),
            env=await without_upnp(tmp_path),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdout is not None
        sent = ["Sending candidates: end-of-candidates"] if trickles else []
        log = await _until(process.stdout, "PeerConnection connected", *sent)
        resource = next(line for line in log if "Resource URL" in line).split("URL: ")[1].strip()
        async with aiohttp.ClientSession() as http:
            async with http.get(resource) as response:
                assert (await response.json())["state"] != "negotiating"
            process.send_signal(signal.SIGINT)
            rest, _ = await asyncio.wait_for(process.communicate(), 20)
            async with http.get(resource) as response:
                assert (await response.json())["reason"] in ("deleted", "client-left")
    assert "ERR" not in "".join(log) + rest.decode()


async def _until(log: asyncio.StreamReader, *words: str) -> list[str]:
    """The lines of *log* until each of *words* has been in one, in whichever order."""
    lines: list[str] = []
    async with asyncio.timeout(60):
        while not all(any(each in line for line in lines) for each in words):
            line = (await log.readline()).decode()
            assert line, "".join(lines)
            lines.append(line)
    return lines
