"""A user's actions with a recording on the page, and the progress that the page shows."""

from pathlib import Path

from tests.conftest import ROOT
from tests.web.devtools import Tab

HELLO = ROOT / "samples" / "hello.wav"
"""118 kB of real words: "Hello, what is the weather like today?\""""

SLOW_BYTES_PER_SECOND = 60_000
"""With this limit an upload of HELLO takes two seconds."""

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
"""Records each state of the progress; ``part`` is -1 while the bar is indeterminate."""


async def limit(page: Tab, bytes_per_second: float = -1) -> None:
    """Limit the speed of uploads; without a number, remove the limit."""
    unlimited = {"offline": False, "latency": 0, "downloadThroughput": -1}
    await page.call("Network.emulateNetworkConditions", uploadThroughput=bytes_per_second, **unlimited)


async def choose(page: Tab, recording: Path) -> None:
    """Choose a file, as in the browser's dialog."""
    found = await page.call("Runtime.evaluate", expression="document.getElementById('recording')")
    await page.call("DOM.setFileInputFiles", files=[str(recording)], objectId=found["result"]["objectId"])


async def drop(page: Tab, recording: Path) -> None:
    """Drag a file over the conversation and drop it."""
    data = {"items": [], "files": [str(recording)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        await page.call("Input.dispatchDragEvent", type=kind, x=600, y=300, data=data)


async def upload_begun(page: Tab) -> None:
    """Wait until the upload has begun."""
    await page.until("document.querySelector('.clip progress')?.position > 0")


async def clip_done(page: Tab) -> None:
    """Wait until the last turn is that of a clip, and done."""
    await page.until("[...document.querySelectorAll('.turn')].at(-1)?.querySelector('.parts')")


async def play(page: Tab) -> None:
    """Start the reply's player with the space bar, and wait until it plays."""
    await page.evaluate("document.querySelector('.parts audio').focus()")
    await page.key("keyDown", " ")
    await page.key("keyUp", " ")
    await page.until(
        "(({ currentTime, duration }) => currentTime > 0 && duration > 1)(document.querySelector('audio'))"
    )


async def failed(page: Tab) -> str:
    """The error that the page shows for the last turn, once there is one."""
    await page.until("document.querySelector('.turn:last-child .wrong[role=alert]')")
    return await page.text(".turn:last-child .wrong")
