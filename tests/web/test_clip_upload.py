"""Uploading a recording with the page, to a real storage service."""

import json
from pathlib import Path
from typing import Any

from emulators.script import Step
from fakes.sound import silence
from tests.conftest import HEARD, Account, Product
from tests.web.clip_upload import (
    HELLO,
    SLOW_BYTES_PER_SECOND,
    WATCH,
    choose,
    clip_done,
    drop,
    failed,
    limit,
    play,
    upload_begun,
)
from tests.web.conftest import DESKTOP, NO_UDP, PHONE, Open, pages
from tests.web.devtools import Tab
from tests.web.talk import STATE, done, replies, send, user_words
from tests.web.test_looks import CONTRASTS, LEAST_CONTRAST
from voice_core.audio import wav


async def test_a_recording_is_uploaded_and_replied_to(clip_product: Product, open_clip_page: Open) -> None:
    """The page shows the progress of each stage, then the transcript, the reply, and a player of its speech."""
    clip_product.services.speech.clear()
    page = await open_clip_page(NO_UDP)
    await page.evaluate(WATCH)
    await limit(page, SLOW_BYTES_PER_SECOND)
    await choose(page, HELLO)
    await clip_done(page)

    (heard,) = await user_words(page)
    assert "weather" in heard.lower()
    assert heard.rstrip(".").lower() in (await replies(page))[0].lower()
    seen = await page.evaluate("seen")
    parts = [state["part"] for state in seen if state["phase"] == "Uploading"]
    assert parts == sorted(parts)
    assert any(0 < part < 1 for part in parts)
    phases = list(dict.fromkeys(state["phase"] for state in seen))
    assert [phase for phase in phases if phase in ("Uploading", "Transcribing")] == ["Uploading", "Transcribing"]
    await play(page)
    assert await page.evaluate(STATE) == "idle"


async def test_the_next_turn_belongs_to_the_same_conversation(open_clip_page: Open) -> None:
    """A dropped recording begins a conversation; a typed turn continues it, and it can be opened again later."""
    page = await open_clip_page(NO_UDP)
    await drop(page, HELLO)
    await clip_done(page)
    await send(page, "What did I just say")
    await done(page, 2)

    assert "weather" in (await replies(page))[1]
    await page.until("document.querySelector('#conversations [aria-current=true]')?.innerText.includes('2 turns')")
    await page.click("#new")
    await page.click("#conversations .open")
    await page.until("document.querySelectorAll('.turn').length === 2")
    assert await page.evaluate("document.querySelectorAll('.turn:first-child .parts audio').length") == 1
    assert await page.evaluate("fetch(document.querySelector('.parts a').href).then((answer) => answer.status)") == 200


CROSSED = """(() => {
  const real = window.fetch;
  let clip, session;
  const clipAsked = new Promise((resolve) => (clip = resolve));
  const sessionNamed = new Promise((resolve) => (session = resolve));
  window.fetch = async (url, options) => {
    const path = new URL(url, location).pathname;
    if (path.endsWith('/session')) await clipAsked;
    const answer = await real(url, options);
    if (path.endsWith('/session')) session();
    if (path.endsWith('/clips')) {
      clip();
      await sessionNamed;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return answer;
  };
})()"""
"""Delays requests so that a session names its own conversation while a recording opens another."""


async def test_a_session_does_not_replace_the_conversation(open_clip_page: Open) -> None:
    """A turn that is typed after the recording continues its conversation, in whatever order the responses arrive."""
    page = await open_clip_page()
    await page.evaluate(CROSSED)
    await page.click("#new")
    await drop(page, HELLO)
    await clip_done(page)
    await send(page, "What did I just say")
    await done(page, 2)

    assert "weather" in (await replies(page))[1]


async def test_an_upload_is_cancelled(clip_product: Product, open_clip_page: Open) -> None:
    """Its turn is removed, the server has cancelled the clip, and the status says so."""
    page = await open_clip_page(NO_UDP)
    await limit(page, SLOW_BYTES_PER_SECOND / 10)
    await choose(page, HELLO)
    await upload_begun(page)
    await page.click(".clip button")

    await page.until("document.getElementById('status').textContent === 'The recording was cancelled.'")
    assert await user_words(page) == []
    assert (await the_clip(clip_product, page))["status"] == "cancelled"


async def the_clip(product: Product, page: Tab) -> dict[str, Any]:
    """The state on the server of the clip that the page requested last."""
    path = await page.evaluate(
        "performance.getEntriesByType('resource').map((each) => each.name.match(/\\/clips\\/\\w+$/)?.[0])"
        ".filter(Boolean).at(-1)"
    )
    async with product.get(path) as response:
        clip: dict[str, Any] = json.loads(await response.text())
        return clip


async def test_another_conversation_does_not_stop_an_upload(open_clip_page: Open) -> None:
    """The progress is shown again when its conversation is opened again."""
    page = await open_clip_page(NO_UDP)
    await send(page, "The first matter")
    await done(page, 1)
    await page.until("document.querySelectorAll('#conversations .open').length === 1")
    await limit(page, SLOW_BYTES_PER_SECOND / 10)
    await choose(page, HELLO)
    await upload_begun(page)
    await page.click("#new")
    assert await page.evaluate("document.querySelector('.clip')") is None
    await page.click("#conversations .open")
    await upload_begun(page)
    await limit(page)
    await clip_done(page)

    assert len(await user_words(page)) == 2


async def test_an_upload_can_be_retried_after_a_lost_connection(account: Account, open_clip_page: Open) -> None:
    """The page reports the lost connection, and on request sends the recording again, in the same conversation."""
    page = await open_clip_page(NO_UDP)
    await page.call("Network.setBlockedURLs", urls=[f"*{account.name}*"])
    await choose(page, HELLO)
    assert "connection was lost" in await failed(page)

    await page.call("Network.setBlockedURLs", urls=[])
    await page.click(".notes button")

    await clip_done(page)
    assert len(await user_words(page)) == 1


async def test_storage_is_unavailable(open_page: Open) -> None:
    """The page says what to install, and other turns still work."""
    page = await open_page(NO_UDP)
    await choose(page, HELLO)

    assert "install Node" in await failed(page)
    await send(page, "Good morning")
    await done(page, 2)


async def test_a_recording_that_is_too_large_is_refused(small_clip_product: Product, tmp_path: Path) -> None:
    """The page reports that the recording is too large, before it uploads anything."""
    async with pages(small_clip_product.url.removesuffix("/api/voice"), tmp_path) as opened:
        page = await opened(NO_UDP)
        await choose(page, HELLO)

        assert "larger than the server takes" in await failed(page)


async def test_a_silent_recording_is_reported(open_clip_page: Open, tmp_path: Path) -> None:
    """An error that is found after the upload is shown at the turn too."""
    (tmp_path / "silence.wav").write_bytes(wav.whole(silence(3.0), 16_000))
    page = await open_clip_page(NO_UDP)
    await choose(page, tmp_path / "silence.wav")

    assert await failed(page) == "There is no speech in this recording."


async def test_a_reply_that_fails_leaves_the_transcript(clip_product: Product, open_clip_page: Open) -> None:
    """The transcript is shown, with the error below."""
    clip_product.services.openai.add("chat", Step(status=400, repeat=True))
    page = await open_clip_page(NO_UDP)
    await choose(page, HELLO)

    assert await failed(page)
    assert [words.lower() for words in await user_words(page)] == [HEARD]


async def test_an_expired_upload_url_is_reported(clip_product: Product, open_clip_page: Open) -> None:
    """Storage refuses an expired URL, and the page shows another message than for a lost connection."""
    page = await open_clip_page(NO_UDP)
    async with clip_product.post("/clips", json={}) as response:
        slot = (await response.json())["upload"]
    message = await page.evaluate(
        f"""(async () => {{
            const {{ put }} = await import("./upload.js");
            const {{ uploadTrouble }} = await import("./wording.js");
            const late = {{ ...{json.dumps(slot)} }};
            late.url = late.url.replace(/se=[^&]*/, "se=2020-01-01T00%3A00%3A00Z");
            return put(new File(["words"], "late.wav"), late, () => {{}}, new AbortController().signal)
                .catch(uploadTrouble);
        }})()"""
    )
    assert "has expired" in message


async def test_uploads_are_accessible(open_clip_page: Open) -> None:
    """On a small phone in dark mode all text has enough contrast, every control has a name, and everything fits."""
    page = await open_clip_page(NO_UDP, size=PHONE, dark=True)
    await limit(page, SLOW_BYTES_PER_SECOND / 10)
    await choose(page, HELLO)
    await upload_begun(page)

    assert await named(page, "progressbar") == ["Progress of hello.wav"]
    assert {"Upload a recording", "Cancel hello.wav"} <= set(await named(page, "button"))
    await check_looks(page, PHONE[0])
    await limit(page)
    await clip_done(page)
    await check_looks(page, PHONE[0])
    await page.call(
        "Emulation.setDeviceMetricsOverride", width=DESKTOP[0], height=800, deviceScaleFactor=1, mobile=False
    )
    await check_looks(page, DESKTOP[0])


async def named(page: Tab, role: str) -> list[str]:
    """The accessible names of all elements of a *role*."""
    nodes = (await page.call("Accessibility.getFullAXTree"))["nodes"]
    return [node["name"]["value"] for node in nodes if not node.get("ignored") and node["role"]["value"] == role]


async def check_looks(page: Tab, width: int) -> None:
    contrasts = await page.evaluate(CONTRASTS)
    assert {text: ratio for text, ratio in contrasts.items() if ratio < LEAST_CONTRAST} == {}
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    assert await page.evaluate("document.querySelector('#upload').getBoundingClientRect().right") <= width
