"""Messages of the page when a microphone, the network or speech is missing."""

from emulators.script import Step
from tests.conftest import Product
from tests.web.conftest import NO_UDP, Open
from tests.web.devtools import Tab
from tests.web.talk import STATE, done, press, release, send, spoken_through, talk


async def network(page: Tab, *, offline: bool) -> None:
    """Disconnect the page from the network, or connect it again."""
    unlimited = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    await page.call("Network.emulateNetworkConditions", offline=offline, **unlimited)


async def test_a_denied_microphone_is_reported(open_page: Open) -> None:
    """The page says where to allow the microphone, and typing still works."""
    page = await open_page(NO_UDP, "--use-fake-device-for-media-stream", "--deny-permission-prompts", microphone=False)
    await page.point("mousePressed", "#talk")
    await page.until("document.getElementById('trouble').textContent.includes('blocked')")
    await page.point("mouseReleased", "#talk")

    assert await page.evaluate(STATE) == "idle"
    await send(page, "Good morning")
    await done(page, 1)
    assert await page.text("#trouble") == ""


async def test_a_missing_microphone_is_reported(open_page: Open) -> None:
    """A missing microphone gets another message than a denied one."""
    page = await open_page(NO_UDP, "--use-fake-ui-for-media-stream", microphone=False)
    await page.point("mousePressed", "#talk")

    await page.until("document.getElementById('trouble').textContent.startsWith('No microphone was found')")


async def test_an_utterance_can_be_resent_after_an_outage(open_page: Open) -> None:
    """An utterance that the server did not receive is kept, and sent again on request."""
    page = await open_page(NO_UDP)
    await page.until("document.getElementById('language').options.length > 1")
    await network(page, offline=True)
    await talk(page)
    await page.until("document.querySelector('.notes .wrong')?.textContent.includes('cannot be reached')")

    await network(page, offline=False)
    await page.click(".notes button")

    await done(page, 1)


async def test_silence_gets_a_hint(product: Product, open_page: Open) -> None:
    """An utterance without speech gets a hint instead of an error, and leaves no empty turn."""
    product.services.speech.clear()
    product.services.speech.add("stt", Step(text=""))
    page = await open_page(NO_UDP)
    await press(page)
    await spoken_through(page)
    await release(page)

    await page.until("document.getElementById('status').textContent.startsWith('Nothing was heard')")
    assert await page.evaluate("document.querySelectorAll('.turn').length") == 0
