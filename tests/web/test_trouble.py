"""What the page says when something is in the way."""

from emulators.script import Step
from tests.conftest import Product
from tests.web.conftest import NO_UDP, Open
from tests.web.devtools import Tab
from tests.web.talking import STATE, done, press, release, send, spoken_through, talk


async def network(page: Tab, *, offline: bool) -> None:
    """Cut the page off, or connect it again."""
    unlimited = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    await page.call("Network.emulateNetworkConditions", offline=offline, **unlimited)


async def test_a_denied_microphone(open_page: Open) -> None:
    """The page says where to allow it; typing goes on."""
    page = await open_page(NO_UDP, "--use-fake-device-for-media-stream", "--deny-permission-prompts", microphone=False)
    await page.point("mousePressed", "#talk")
    await page.until("document.getElementById('trouble').textContent.includes('blocked')")
    await page.point("mouseReleased", "#talk")

    assert await page.evaluate(STATE) == "idle"
    await send(page, "Good morning")
    await done(page, 1)
    assert await page.text("#trouble") == ""


async def test_no_microphone(open_page: Open) -> None:
    """The page says that there is none, which is another matter than a denied one."""
    page = await open_page(NO_UDP, "--use-fake-ui-for-media-stream", microphone=False)
    await page.point("mousePressed", "#talk")

    await page.until("document.getElementById('trouble').textContent.startsWith('No microphone was found')")


async def test_the_server_is_away(open_page: Open) -> None:
    """What was said is kept, and sent when asked to once more."""
    page = await open_page(NO_UDP)
    await page.until("document.getElementById('language').options.length > 1")
    await network(page, offline=True)
    await talk(page)
    await page.until("document.querySelector('.notes .wrong')?.textContent.includes('cannot be reached')")

    await network(page, offline=False)
    await page.click(".notes button")

    await done(page, 1)


async def test_nothing_was_said(product: Product, open_page: Open) -> None:
    """A hint, no failure, and no empty turn is left behind."""
    product.services.speech.clear()
    product.services.speech.add("stt", Step(text=""))
    page = await open_page(NO_UDP)
    await press(page)
    await spoken_through(page)
    await release(page)

    await page.until("document.getElementById('status').textContent.startsWith('Nothing was heard')")
    assert await page.evaluate("document.querySelectorAll('.turn').length") == 0
