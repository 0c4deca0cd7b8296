"""Turns over HTTP, which the page uses where WebRTC is blocked."""

import pytest

from emulators.script import Step
from tests.conftest import HEARD, Product
from tests.web.conftest import NO_UDP, Open
from tests.web.talk import (
    LEVEL,
    ROAD,
    STATE,
    audible,
    done,
    heard_something,
    press,
    release,
    replies,
    send,
    spoken_through,
    talk,
    user_words,
)

LONG_REPLY = Step(text="One sentence. " * 120)


async def test_a_press_is_transcribed_and_replied_to(product: Product, open_page: Open) -> None:
    """The page shows transcript, reply, timings and the connection that was used, and the reply is audible."""
    product.services.speech.clear()
    page = await open_page(NO_UDP)
    await press(page)
    await spoken_through(page)
    await release(page)

    await audible(page)
    await done(page, 1)

    (heard,) = await user_words(page)
    assert heard.strip()
    (reply,) = await replies(page)
    assert heard.rstrip(".") in reply
    assert "first sound" in await page.text(".timings")
    assert await page.evaluate(ROAD) == "HTTP"


async def test_the_second_turn_remembers_the_first(product: Product, open_page: Open) -> None:
    """Both turns belong to one conversation, which the list shows."""
    product.services.speech.clear()
    product.services.speech.add("tts", Step(tone=True, repeat=True))
    product.services.speech.add("stt", Step(text="My name is Ada"), Step(text="What did I just say"))
    page = await open_page(NO_UDP)

    await talk(page)
    await done(page, 1)
    await talk(page)
    await done(page, 2)

    assert "My name is Ada" in (await replies(page))[1]
    await page.until("document.querySelector('#conversations [aria-current=true]')?.innerText.includes('2 turns')")


async def test_a_press_stops_the_speech(product: Product, open_page: Open) -> None:
    """A press stops the speech at once, and the page listens."""
    product.services.openai.add("chat", LONG_REPLY)
    page = await open_page(NO_UDP)
    await send(page, "Tell me a long story")
    await audible(page)

    await press(page)

    assert await page.evaluate("document.getElementById('level').dataset.source") == "microphone"
    await heard_something(page)
    await release(page)
    await done(page, 2)
    assert await user_words(page) == ["Tell me a long story", HEARD]


async def test_a_press_interrupts_a_reply(product: Product, open_page: Open) -> None:
    """The turn is marked as interrupted, and the conversation stores what was delivered."""
    product.services.openai.add("chat", Step(text="one two three " * 200, tokens_per_second=3))
    page = await open_page(NO_UDP)
    await send(page, "Count")
    await page.until("document.querySelector('.reply').textContent.includes('two')")

    await talk(page)
    await done(page, 2)

    assert "Interrupted" in await page.text(".turn:first-child .notes")
    async with product.get("/conversations") as response:
        (conversation,) = (await response.json())["conversations"]
    async with product.get(f"/conversations/{conversation['conversationId']}") as response:
        turns = (await response.json())["turns"]
    assert [turn["interrupted"] for turn in turns] == [False, True]


async def test_escape_stops_the_speech(product: Product, open_page: Open) -> None:
    """Escape stops the speech, and no new utterance begins."""
    product.services.openai.add("chat", LONG_REPLY)
    page = await open_page(NO_UDP)
    await send(page, "Tell me a long story")
    await audible(page)

    await page.key("keyDown", "Escape")

    assert await page.evaluate(STATE) == "idle"
    assert await page.evaluate(LEVEL) == 0


async def test_typed_text_gets_a_spoken_reply(open_page: Open) -> None:
    """A typed turn gets an audible reply and needs no microphone."""
    page = await open_page(NO_UDP)
    await send(page, "Good morning")

    await audible(page)
    await done(page, 1)

    assert await user_words(page) == ["Good morning"]
    assert "Good morning" in (await replies(page))[0]


async def test_a_transcript_is_edited_and_sent_again(open_page: Open) -> None:
    """The edited text becomes a new turn of the same conversation; the old one stays."""
    page = await open_page(NO_UDP)
    await talk(page)
    await done(page, 1)

    await page.click(".mine button")
    await page.evaluate("document.querySelector('.edit textarea').select()")
    await page.call("Input.insertText", text="The kettle is on")
    await page.click(".edit [type=submit]")
    await done(page, 2)

    assert (await user_words(page))[1] == "The kettle is on"
    assert "The kettle is on" in (await replies(page))[1]


async def test_voice_and_language_are_chosen(product: Product, open_page: Open) -> None:
    """A language lists its voices; both choices reach the services, and the browser remembers them."""
    page = await open_page(NO_UDP)
    await page.until("document.getElementById('language').options.length > 1")
    await page.evaluate("(() => { const e = document.getElementById('language'); e.value = 'de-DE'; e.onchange(); })()")
    assert await page.evaluate("document.getElementById('voice').value") == "de-DE-KatjaNeural"

    await talk(page)
    await done(page, 1)

    served = {entry.operation: entry.facts for entry in product.services.speech.served}
    assert "de-DE-KatjaNeural" in str(served["tts"])
    assert "de-DE" in str(served["stt"])
    await page.call("Page.reload")
    await page.until("document.getElementById('voice').value === 'de-DE-KatjaNeural'")


async def test_a_failed_turn_can_be_retried(product: Product, open_page: Open) -> None:
    """The page shows the error, keeps the utterance, and offers to send it again."""
    product.services.openai.add("chat", *[Step(status=500)] * 3)
    page = await open_page(NO_UDP)
    await talk(page)
    await page.until("document.querySelector('.notes .wrong')")
    product.services.openai.clear()

    await page.click(".notes button")
    await done(page, 1)

    assert HEARD in (await user_words(page))[0].lower()


@pytest.mark.parametrize("event", ["blur", "lostpointercapture", "visibilitychange"])
async def test_leaving_the_window_releases_the_button(open_page: Open, event: str) -> None:
    """An event that takes the pointer or the window away ends the utterance, which is sent."""
    page = await open_page(NO_UDP)
    await press(page)
    await heard_something(page)

    await page.evaluate(
        {
            "blur": "window.dispatchEvent(new Event('blur'))",
            "lostpointercapture": "document.getElementById('talk').releasePointerCapture(1)",
            "visibilitychange": "Object.defineProperty(document, 'hidden', {value: true}),"
            " document.dispatchEvent(new Event('visibilitychange'))",
        }[event]
    )

    await done(page, 1)
