"""Holding the talk button by keyboard, touch and assistive technology."""

from tests.conftest import Product
from tests.web.conftest import NO_UDP, Open
from tests.web.talk import STATE, done, heard_something, press, release, tap

LISTENS = f"{STATE} === 'listening'"


async def test_the_space_bar_holds(open_page: Open) -> None:
    """The space bar holds the button, unless the focused element uses the key itself."""
    page = await open_page(NO_UDP)
    await page.key("keyDown", " ")
    await page.until(LISTENS)
    await heard_something(page)
    await page.key("keyUp", " ")
    await done(page, 1)


async def test_the_space_bar_types_in_a_field(product: Product, open_page: Open) -> None:
    """In a field the space bar types a space, and the page does not listen."""
    page = await open_page(NO_UDP)
    await page.write("#text", "good")
    await page.key("keyDown", " ")
    await page.key("keyUp", " ")
    await page.call("Input.insertText", text="morning")

    assert await page.evaluate("document.getElementById('text').value") == "good morning"
    assert await page.evaluate(STATE) == "idle"
    assert not product.services.paid()


async def test_the_space_bar_presses_other_buttons(open_page: Open) -> None:
    """On another button the space bar presses that button."""
    page = await open_page(NO_UDP)
    await page.evaluate(
        "(window.pressed = 0, document.getElementById('new').addEventListener('click', () => pressed++))"
    )
    await page.evaluate("document.getElementById('new').focus()")
    await page.key("keyDown", " ")
    await page.key("keyUp", " ")

    assert await page.evaluate("pressed") == 1
    assert await page.evaluate(STATE) == "idle"


async def test_enter_begins_and_ends(open_page: Open) -> None:
    """Enter and the click of a screen reader toggle the button, for users who cannot hold a key."""
    page = await open_page(NO_UDP)
    await page.evaluate("document.getElementById('talk').focus()")
    await page.key("keyDown", "Enter")
    await page.key("keyUp", "Enter")
    await page.until(LISTENS)
    assert await page.evaluate("document.getElementById('talk').ariaPressed") == "true"
    await heard_something(page)

    await page.evaluate("document.getElementById('talk').click()")

    await done(page, 1)


async def test_a_finger_holds(open_page: Open) -> None:
    """A touch holds the button, also when it moves off the button before the release."""
    page = await open_page(NO_UDP, size=(360, 740))
    middle = await page.evaluate(
        "(({x, y, width}) => ({x: x + width / 2, y: y + width / 2}))"
        "(document.getElementById('talk').getBoundingClientRect())"
    )
    await page.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[middle])
    await page.until(LISTENS)
    await heard_something(page)
    await page.call("Input.dispatchTouchEvent", type="touchMove", touchPoints=[{"x": 20, "y": 100}])
    assert await page.evaluate(STATE) == "listening"
    await page.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    await done(page, 1)


async def test_a_tap_asks_the_user_to_hold(product: Product, open_page: Open) -> None:
    """A tap sends nothing, and the page asks the user to hold the button."""
    page = await open_page(NO_UDP)
    await tap(page)

    await page.until("document.getElementById('status').textContent.startsWith('Hold the button')")
    assert await page.evaluate("document.querySelectorAll('.turn').length") == 0
    assert not product.services.paid()


async def test_escape_discards_the_utterance(product: Product, open_page: Open) -> None:
    """After Escape the utterance is not sent."""
    page = await open_page(NO_UDP)
    await press(page)
    await heard_something(page)
    await page.key("keyDown", "Escape")
    await release(page)

    await page.until("document.getElementById('status').textContent.startsWith('Dropped')")
    assert not product.services.paid()
