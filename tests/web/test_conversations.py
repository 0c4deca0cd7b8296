"""The list of conversations: open, continue, delete, begin a new one."""

from tests.conftest import Product
from tests.web.conftest import NO_UDP, Open
from tests.web.devtools import Tab
from tests.web.talk import done, replies, send, user_words

TITLES = "[...document.querySelectorAll('#conversations .title')].map((e) => e.textContent)"


async def two_conversations(page: Tab) -> None:
    await send(page, "The first matter")
    await done(page, 1)
    await page.click("#new")
    await send(page, "The second matter")
    await done(page, 1)
    await page.until(f"{TITLES}.length === 2")


async def test_an_old_conversation_is_opened_and_continued(open_page: Open) -> None:
    """Its turns are shown, and the assistant remembers them."""
    page = await open_page(NO_UDP)
    await two_conversations(page)

    await page.click("#conversations li:last-child .open")
    await page.until("document.querySelector('.said')?.textContent === 'The first matter'")
    await send(page, "What did I just say")
    await done(page, 2)

    assert await user_words(page) == ["The first matter", "What did I just say"]
    assert "The first matter" in (await replies(page))[1]


async def test_a_conversation_is_deleted(product: Product, open_page: Open) -> None:
    """After a second press the server has deleted it, and a new one begins."""
    page = await open_page(NO_UDP)
    await two_conversations(page)

    await page.click("#conversations li:first-child .forget")
    assert await page.text("#conversations li:first-child .forget") == "Really delete?"
    await page.click("#conversations li:first-child .forget")

    await page.until(f"{TITLES}.length === 1")
    async with product.get("/conversations") as response:
        remaining = (await response.json())["conversations"]
    assert [conversation["title"] for conversation in remaining] == ["The first matter"]
    assert await user_words(page) == []


async def test_a_long_conversation_comes_in_pages(open_page: Open) -> None:
    """The latest turns first, the earlier ones on request, in their order."""
    page = await open_page(NO_UDP)
    for number in range(22):
        await send(page, f"Matter {number}")
        await done(page, number + 1)
    await page.click("#conversations .open")
    await page.until("document.querySelectorAll('.turn').length === 20")

    await page.click("#earlier")

    await page.until("document.querySelectorAll('.turn').length === 22")
    assert await user_words(page) == [f"Matter {number}" for number in range(22)]
