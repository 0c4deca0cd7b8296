"""What a user does with a recording at the page, and sees of its way."""

from pathlib import Path

from tests.conftest import ROOT
from tests.web.devtools import Tab

HELLO = ROOT / "samples" / "hello.wav"
"""118 kB of real words: "Hello, what is the weather like today?\""""

SLOW_BYTES_PER_SECOND = 60_000
"""An upload of HELLO takes two seconds."""

WATCH = """
window.seen = [];
new MutationObserver(() => {
    const clip = document.querySelector(".clip");
    if (!clip) return;
    const phase = clip.querySelector("[role=status]").textContent;
    const bar = clip.querySelector("progress");
    seen.push({ phase, part: bar.position, measure: clip.querySelector(".quiet").textContent });
}).observe(document.getElementById("turns"), { subtree: true, childList: true, characterData: true, attributes: true });
"""
"""Notes each state of the progress; ``part`` is -1 while nobody knows it."""


async def limit(page: Tab, bytes_per_second: float = -1) -> None:
    """How fast the page can send; without a number as fast as it likes."""
    unlimited = {"offline": False, "latency": 0, "downloadThroughput": -1}
    await page.call("Network.emulateNetworkConditions", uploadThroughput=bytes_per_second, **unlimited)


async def choose(page: Tab, recording: Path) -> None:
    """What the browser does when the user has chosen a file."""
    found = await page.call("Runtime.evaluate", expression="document.getElementById('recording')")
    await page.call("DOM.setFileInputFiles", files=[str(recording)], objectId=found["result"]["objectId"])


async def drop(page: Tab, recording: Path) -> None:
    """Drag a file over the conversation and let go of it."""
    data = {"items": [], "files": [str(recording)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        await page.call("Input.dispatchDragEvent", type=kind, x=600, y=300, data=data)


async def uploading(page: Tab) -> None:
    """Until some of it, but not all, is sent."""
    await page.until("document.querySelector('.clip progress')?.position > 0")


async def answered(page: Tab) -> None:
    """Until the last turn is that of a clip, and done."""
    await page.until("[...document.querySelectorAll('.turn')].at(-1)?.querySelector('.parts')")


async def play(page: Tab) -> None:
    """Start the reply's player with the space bar, and hear it begin."""
    await page.evaluate("document.querySelector('.parts audio').focus()")
    await page.key("keyDown", " ")
    await page.key("keyUp", " ")
    await page.until(
        "(({ currentTime, duration }) => currentTime > 0 && duration > 1)(document.querySelector('audio'))"
    )


async def failed(page: Tab) -> str:
    """Why the last turn failed."""
    await page.until("document.querySelector('.turn:last-child .wrong[role=alert]')")
    return await page.text(".turn:last-child .wrong")
