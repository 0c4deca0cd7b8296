"""A user's actions on the page, and what the page shows and plays."""

from tests.web.devtools import Tab

LOUD = 0.35
"""A level on the page's meter that is well above noise and well below speech."""

STATE = "document.body.dataset.state"
ROAD = "document.getElementById('road').textContent"
LEVEL = "document.getElementById('level').value"


RELEASE_AT_ONCE = f"""
    new MutationObserver(() => {STATE} === "listening" && dispatchEvent(new Event("blur")))
        .observe(document.body, {{attributeFilter: ["data-state"]}})
"""
"""Releases the button from within the page, so that the press is short on a busy machine too."""


async def press(page: Tab) -> None:
    """Hold the button down, and wait until the page listens."""
    await page.point("mousePressed", "#talk")
    await page.until(f"{STATE} === 'listening'")


async def release(page: Tab) -> None:
    await page.point("mouseReleased", "#talk")


async def tap(page: Tab) -> None:
    """Press and release at once; all later presses are as short."""
    await page.evaluate(RELEASE_AT_ONCE)
    await page.point("mousePressed", "#talk")


async def spoken_through(page: Tab, quiet_seconds: float = 0.5) -> None:
    """Wait until the microphone's words have ended: loud, then *quiet_seconds* of quiet."""
    await page.evaluate("window.loudAt = 0")
    await page.until(
        f"""(() => {{
            const now = performance.now();
            if ({LEVEL} > {LOUD}) window.loudAt = now;
            return window.loudAt && now - window.loudAt > {1000 * quiet_seconds};
        }})()"""
    )


async def heard_something(page: Tab) -> None:
    """Wait until the microphone has delivered half a second of speech, pauses not counted."""
    await page.evaluate("window.spoke = 0, window.looked = performance.now()")
    await page.until(
        f"""(() => {{
            const now = performance.now();
            if ({LEVEL} > {LOUD}) window.spoke += Math.min(now - window.looked, 50);
            window.looked = now;
            return window.spoke > 500;
        }})()"""
    )


async def talk(page: Tab) -> None:
    """Press, wait for some speech, release."""
    await press(page)
    await heard_something(page)
    await release(page)


async def send(page: Tab, text: str) -> None:
    """Type a turn and send it."""
    await page.write("#text", text)
    await page.click("#typed button")


async def audible(page: Tab) -> None:
    """Wait until the page plays speech: its analyser measures the sound that it plays."""
    await page.until(f"document.getElementById('level').dataset.source === 'speech' && {LEVEL} > {LOUD}")


async def done(page: Tab, turns: int) -> None:
    """Wait until the page shows so many turns and the last is done; over HTTP its speech may still be playing."""
    await page.until(
        f"document.querySelectorAll('.turn').length === {turns}"
        " && [...document.querySelectorAll('.turn')].at(-1).querySelector('.timings')"
    )


async def user_words(page: Tab) -> list[str]:
    """The user's words on the page, one text per turn."""
    found: list[str] = await page.evaluate("[...document.querySelectorAll('.said')].map((e) => e.textContent)")
    return found


async def replies(page: Tab) -> list[str]:
    found: list[str] = await page.evaluate("[...document.querySelectorAll('.reply')].map((e) => e.textContent)")
    return found
