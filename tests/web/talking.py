"""What a user does at the page, and sees and hears of it."""

from tests.web.devtools import Tab

LOUD = 0.35
"""On the page's level meter: well above noise, well below speech."""

STATE = "document.body.dataset.state"
ROAD = "document.getElementById('road').textContent"
LEVEL = "document.getElementById('level').value"


LETS_GO_AT_ONCE = f"""
    new MutationObserver(() => {STATE} === "listening" && dispatchEvent(new Event("blur")))
        .observe(document.body, {{attributeFilter: ["data-state"]}})
"""
"""In the page, so that however busy the machine is the press is short."""


async def press(page: Tab) -> None:
    """Hold the button down, until the page listens."""
    await page.point("mousePressed", "#talk")
    await page.until(f"{STATE} === 'listening'")


async def release(page: Tab) -> None:
    await page.point("mouseReleased", "#talk")


async def tap(page: Tab) -> None:
    """Press and let go at once; from then on every press is as short."""
    await page.evaluate(LETS_GO_AT_ONCE)
    await page.point("mousePressed", "#talk")


async def spoken_through(page: Tab) -> None:
    """Until the microphone's words are over: loud, then half a second of quiet."""
    await page.evaluate("window.loudAt = 0")
    await page.until(
        f"""(() => {{
            const now = performance.now();
            if ({LEVEL} > {LOUD}) window.loudAt = now;
            return window.loudAt && now - window.loudAt > 500;
        }})()"""
    )


async def heard_something(page: Tab) -> None:
    """Until the microphone has brought half a second of speech, pauses not counted."""
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
    """Press, say something, release."""
    await press(page)
    await heard_something(page)
    await release(page)


async def send(page: Tab, text: str) -> None:
    """Type a turn and send it."""
    await page.write("#text", text)
    await page.click("#typed button")


async def audible(page: Tab) -> None:
    """Until the loudspeaker gets sound: the page's analyser sits on what it plays."""
    await page.until(f"document.getElementById('level').dataset.source === 'speech' && {LEVEL} > {LOUD}")


async def done(page: Tab, turns: int) -> None:
    """Until so many turns are there and the last is done; by HTTP its speech may still be playing."""
    await page.until(
        f"document.querySelectorAll('.turn').length === {turns}"
        " && [...document.querySelectorAll('.turn')].at(-1).querySelector('.timings')"
    )


async def said(page: Tab) -> list[str]:
    """What the user said, turn by turn."""
    found: list[str] = await page.evaluate("[...document.querySelectorAll('.said')].map((e) => e.textContent)")
    return found


async def replies(page: Tab) -> list[str]:
    found: list[str] = await page.evaluate("[...document.querySelectorAll('.reply')].map((e) => e.textContent)")
    return found
