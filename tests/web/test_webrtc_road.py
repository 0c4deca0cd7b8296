"""Turns over WebRTC: speech on the audio track, words on the data channel."""

from emulators.script import Step
from fakes.eventually import eventually
from tests.conftest import HEARD, Product
from tests.web.conftest import Open
from tests.web.devtools import Tab
from tests.web.talk import (
    ROAD,
    audible,
    done,
    heard_something,
    press,
    release,
    replies,
    send,
    talk,
    tap,
    user_words,
)


async def live(page: Tab) -> None:
    """Wait until the page shows that it uses WebRTC."""
    await page.until(f"{ROAD} === 'WebRTC'")


async def test_a_press_is_transcribed_while_it_lasts(product: Product, open_page: Open) -> None:
    """Interim words appear before the release; then transcript, reply and audible speech.

    The words are not checked, because a browser on a busy machine loses some of the sound.
    """
    product.services.speech.clear()
    page = await open_page()
    await live(page)
    await press(page)
    await page.until("document.querySelector('.said.interim')?.textContent.trim()")
    await release(page)

    await audible(page)
    await done(page, 1)

    (heard,) = await user_words(page)
    assert heard.strip()
    assert (await replies(page))[0].strip()
    assert await page.evaluate(ROAD) == "WebRTC"


async def test_the_second_turn_remembers_the_first(product: Product, open_page: Open) -> None:
    """Both turns belong to one session and one conversation."""
    product.services.speech.clear()
    product.services.speech.add("tts", Step(tone=True, repeat=True))
    product.services.speech.add("stt", Step(text="My name is Ada"), Step(text="What did I just say"))
    page = await open_page()
    await live(page)

    await talk(page)
    await done(page, 1)
    await talk(page)
    await done(page, 2)

    assert "My name is Ada" in (await replies(page))[1]


async def test_a_press_interrupts_the_speech(product: Product, open_page: Open) -> None:
    """The interrupted turn keeps the words that were played, and the next utterance is recorded."""
    story = "This is one long sentence that is spoken. " * 60
    product.services.openai.add("chat", Step(text=story))
    page = await open_page()
    await live(page)
    await send(page, "Tell me a long story")
    await audible(page)

    await press(page)
    await heard_something(page)
    await release(page)
    await done(page, 2)

    assert await user_words(page) == ["Tell me a long story", HEARD]
    assert "Interrupted" in await page.text(".turn:first-child .notes")
    assert len((await replies(page))[0]) < len(story) / 2


async def test_an_utterance_outlives_its_session(product: Product, open_page: Open) -> None:
    """The session ends while the button is down; the utterance is sent over HTTP, to the same conversation."""
    page = await open_page()
    await live(page)
    await press(page)
    await heard_something(page)

    await product.app.sessions.close()
    await page.until(f"{ROAD} === 'HTTP'")
    await release(page)

    await done(page, 1)
    assert await user_words(page) == [HEARD]


async def test_a_sent_utterance_outlives_its_session(product: Product, open_page: Open) -> None:
    """The session ends before there is a transcript; the page sends the recording over HTTP by itself."""
    product.services.speech.clear()
    product.services.speech.add("tts", Step(tone=True, repeat=True))
    product.services.speech.add("stt", Step(text="First try", first_seconds=10.0), Step(text="Second try"))
    page = await open_page()
    await live(page)
    await talk(page)
    await eventually(lambda: any(served.operation == "stt" for served in product.services.speech.served))

    await product.app.sessions.close()

    await done(page, 1)
    assert await user_words(page) == ["Second try"]


async def test_a_tap_stops_the_speech(product: Product, open_page: Open) -> None:
    """The turn keeps the words that were played, and no new turn begins."""
    product.services.openai.add("chat", Step(text="This is one long sentence that is spoken. " * 60))
    page = await open_page()
    await live(page)
    await talk(page)
    await audible(page)

    await tap(page)

    await page.until("document.querySelector('.notes')?.textContent.includes('only what was delivered')")
    assert await page.evaluate("document.querySelectorAll('.turn').length") == 1


async def test_a_session_that_ends_is_replaced(product: Product, open_page: Open) -> None:
    """The next turn goes over HTTP, in the same conversation; then the page opens another session."""
    product.services.openai.add("chat", Step(text="First."), Step(text="Second."), Step(text="Third."))
    page = await open_page()
    await live(page)
    await send(page, "One")
    await done(page, 1)

    await product.app.sessions.close()
    await page.until(f"{ROAD} === 'HTTP'")
    await send(page, "Two")
    await done(page, 2)
    await live(page)
    await send(page, "Three")
    await done(page, 3)

    assert await replies(page) == ["First.", "Second.", "Third."]
    await page.until("document.querySelector('#conversations [aria-current=true]')?.innerText.includes('3 turns')")
