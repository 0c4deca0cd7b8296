"""Makes the images of docs/images anew: the page in Chromium, with the product as ``make run`` starts it.

The neural engines recognise and speak, and the fake microphone asks in the product's own voice. Conversations are
stored in a temporary folder, so that those of this machine are neither shown nor changed.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from emulators.child_process import stop
from tests.web.clip_upload import HELLO, SLOW_BYTES_PER_SECOND, choose, clip_done, limit
from tests.web.conftest import NO_UDP, PHONE, Open, pages
from tests.web.devtools import Tab
from tests.web.microphone import Words, spoken, write_microphone
from tests.web.talk import ROAD, STATE, audible, done, heard_something, press, release, send, spoken_through

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
EARLIER = ("Convert 20 miles to kilometers", "What day is it today?")
"""Typed questions of other conversations, the oldest first."""
TYPED = "Good morning. What can you do?"
SPOKEN, SHORT = "How many days are there until Christmas?", "What is seven times eight?"


async def main() -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with _product(folder, int(os.environ.get("PORT", "7071"))) as url, aiohttp.ClientSession() as http:
            api = f"{url}/api/voice"
            question, short = await spoken(http, api, SPOKEN), await spoken(http, api, SHORT)
            async with pages(url, folder) as opened:
                await _dark_desktop(opened)
            for scene in (_light_desktop, _light_phone, _dark_phone, _upload):
                await _converse(http, api)
                async with pages(url, folder) as opened:
                    await scene(opened, short if scene is _dark_phone else question)


async def _converse(http: aiohttp.ClientSession, api: str) -> None:
    """Replace the stored conversations by the earlier ones."""
    async with http.get(f"{api}/conversations", raise_for_status=True) as response:
        stored = (await response.json())["conversations"]
    for conversation in stored:
        await http.delete(f"{api}/conversations/{conversation['conversationId']}", raise_for_status=True)
    for text in EARLIER:
        await http.post(f"{api}/process", json={"text": text, "speech": "none"}, raise_for_status=True)


async def _ask(page: Tab) -> None:
    """Release as soon as the question ends, as users do: recognition may not use a pause for its work."""
    await press(page)
    await spoken_through(page, quiet_seconds=0.2)
    await release(page)


async def _dark_desktop(opened: Open) -> None:
    """The reply to a typed turn is spoken over HTTP."""
    page = await opened(NO_UDP, dark=True)
    await send(page, TYPED)
    await done(page, 1)
    await audible(page)
    await page.screenshot(IMAGES / "desktop-dark.png")


async def _light_desktop(opened: Open, question: Words) -> None:
    """The reply to a spoken question is spoken over WebRTC."""
    page = await opened(question=question)
    await page.until(f"{ROAD} === 'WebRTC'")
    await send(page, TYPED)
    await done(page, 1)
    await page.until(f"{STATE} === 'idle'")
    await _ask(page)
    await page.until("document.querySelectorAll('.reply')[1].textContent.endsWith('.')")
    await audible(page)
    await page.screenshot(IMAGES / "desktop-light.png")


async def _light_phone(opened: Open, question: Words) -> None:
    """A turn that is done, and the menu."""
    page = await opened(size=PHONE, question=question)
    await page.until(f"{ROAD} === 'WebRTC'")
    await _ask(page)
    await done(page, 1)
    await page.until(f"{STATE} === 'idle'")
    await page.screenshot(IMAGES / "phone-light.png")
    for choice, value in {"language": "en-US", "voice": "en-US-AvaMultilingualNeural"}.items():
        await page.evaluate(f"{choice}.value = '{value}', {choice}.onchange()")
    await page.click("#menu")
    await page.until("document.querySelectorAll('#conversations li').length === 3")
    await page.until("document.getElementById('side').getAnimations().length === 0")
    await page.screenshot(IMAGES / "phone-menu.png")


async def _dark_phone(opened: Open, question: Words) -> None:
    """The page listens to a second question."""
    pause = bytes(2 * question.rate * 40)  # the first is replied to meanwhile
    twice = Words(question.pcm + pause + question.pcm, question.rate)
    page = await opened(size=PHONE, dark=True, question=twice)
    await page.until(f"{ROAD} === 'WebRTC'")
    await _ask(page)
    await done(page, 1)
    await press(page)
    await heard_something(page)
    await page.screenshot(IMAGES / "phone-dark.png")


async def _upload(opened: Open, question: Words) -> None:
    """A recording on its way, below one with its reply."""
    page = await opened(NO_UDP)
    await send(page, TYPED)
    await done(page, 1)
    await page.until(f"{STATE} === 'idle'")
    with tempfile.TemporaryDirectory() as name:
        await choose(page, write_microphone(Path(name, "christmas.wav"), question))
        await clip_done(page)
    await limit(page, SLOW_BYTES_PER_SECOND)
    await choose(page, HELLO)
    await page.until("document.querySelector('.clip progress')?.position > 0.3")
    await page.screenshot(IMAGES / "upload.png")


@asynccontextmanager
async def _product(folder: Path, port: int) -> AsyncIterator[str]:
    """The product with an empty store in *folder*, once its engines are loaded."""
    for path in {*ROOT.iterdir()} - {ROOT / ".local"}:
        (folder / path.name).symlink_to(path)
    (folder / ".local").mkdir()
    (folder / ".local" / "azurite").symlink_to(ROOT / ".local" / "azurite")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local_host", "--port", str(port), "--folder", str(folder)),
        cwd=ROOT,
        env=os.environ | {"ENGINES": "neural"},
        stdout=asyncio.subprocess.PIPE,
    )
    output = process.stdout or asyncio.StreamReader()
    try:
        while not (line := await output.readline()).startswith(b"Engines:"):
            if not line:
                sys.exit("The product did not start.")
        yield f"http://127.0.0.1:{port}"
    finally:
        await stop(process)


if __name__ == "__main__":
    asyncio.run(main())
