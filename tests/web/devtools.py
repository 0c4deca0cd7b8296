"""Chromium, controlled by its DevTools protocol (https://chromedevtools.github.io/devtools-protocol/)."""

import asyncio
import json
import os
import re
import shutil
from base64 import b64decode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import pytest

from fakes.eventually import HANG_SECONDS

FLAGS = (
    "--headless=new",
    "--no-sandbox",  # tests run as root in containers, where the sandbox cannot start
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
    "--mute-audio",
    "--disable-dev-shm-usage",  # containers have little of it
    "--remote-debugging-port=0",
)


def executable() -> str:
    """Path of Chromium. Without Chromium the test is skipped; in CI it fails."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        message = "Chromium is not installed (apt-get install chromium), so the page is not tested in a browser."
        if os.environ.get("CI") or os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(message)
        pytest.skip(message)
    return found


class Tab:
    """A page in the browser, and a user's actions on it. Positions are in CSS pixels."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._responses: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._session = ""
        self.complaints: list[str] = []
        """Uncaught exceptions, and errors in the browser's log other than failed requests."""

    async def attach(self) -> None:
        """Open a tab, and subscribe to its errors."""
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")

    async def read(self) -> None:
        """Receive responses and events until the browser disconnects."""
        async for frame in self._socket:
            message = json.loads(frame.data)
            if "id" in message:
                self._responses.pop(message["id"]).set_result(message)
            else:
                self._take_event(message["method"], message.get("params", {}))

    def _take_event(self, method: str, event: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            details = event["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        if (
            method == "Log.entryAdded"
            and (entry := event["entry"])["level"] == "error"
            and entry["source"] != "network"
        ):
            self.complaints.append(f"{entry['text']} {entry.get('url', '')}")

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a DevTools *method*."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        self._responses[number] = response = asyncio.get_running_loop().create_future()
        await self._socket.send_json(message | ({"sessionId": self._session} if self._session else {}))
        document = await asyncio.wait_for(response, 2 * HANG_SECONDS)
        assert "error" not in document, (method, document["error"])
        result: dict[str, Any] = document["result"]
        return result

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript *expression*, awaited."""
        result = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    async def until(self, condition: str, seconds: float = HANG_SECONDS) -> Any:
        """Wait until *condition* is truthy, and return its value.

        Raises:
            AssertionError: it was falsy for *seconds*; the message has the text of the page.
        """
        found = await self.evaluate(
            f"""new Promise((resolve) => {{
                const end = performance.now() + {seconds * 1000};
                const look = () => {{
                    const value = (() => {{ try {{ return {condition}; }} catch {{ return false; }} }})();
                    if (value || performance.now() > end) resolve({{ came: Boolean(value), value }});
                    else setTimeout(look, 10);
                }};
                look();
            }})"""
        )
        assert found["came"], f"never: {condition}\n{await self.text('main')}\n{self.complaints}"
        return found["value"]

    async def text(self, selector: str) -> str:
        return str(await self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    async def go(self, url: str) -> None:
        await self.call("Page.navigate", url=url)
        await self.until("document.readyState === 'complete' && document.body.dataset.state")

    async def point(self, kind: str, selector: str) -> None:
        """A mouse event (mousePressed, mouseReleased, mouseMoved) at the middle of an element."""
        middle = await self.evaluate(
            f"""(() => {{
                const element = document.querySelector({json.dumps(selector)});
                element.scrollIntoView({{ block: "nearest" }});
                const {{ x, y, width, height }} = element.getBoundingClientRect();
                return {{ x: x + width / 2, y: y + height / 2 }};
            }})()"""
        )
        await self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **middle)

    async def click(self, selector: str) -> None:
        await self.point("mousePressed", selector)
        await self.point("mouseReleased", selector)

    async def key(self, kind: str, key: str) -> None:
        """A key goes down or up: rawKeyDown, keyUp."""
        code = {" ": 32, "Enter": 13, "Escape": 27, "Tab": 9}[key]
        typed = {"text": key if key == " " else "\r"} if kind == "keyDown" and key != "Escape" else {}
        await self.call(
            "Input.dispatchKeyEvent",
            type=kind,
            key=key,
            code={" ": "Space"}.get(key, key),
            windowsVirtualKeyCode=code,
            **typed,
        )

    async def write(self, selector: str, text: str) -> None:
        """Type *text* into a field."""
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")
        await self.call("Input.insertText", text=text)

    async def screenshot(self, path: Path) -> None:
        shot = await self.call("Page.captureScreenshot", format="png")
        await asyncio.to_thread(path.write_bytes, b64decode(shot["data"]))


@asynccontextmanager
async def tab(flags: Sequence[str] = ()) -> AsyncIterator[Tab]:
    """A tab of a browser of its own."""
    program = executable()
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            program,
            *FLAGS,
            *flags,
            f"--user-data-dir={profile}",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            url = await asyncio.wait_for(_address(process), HANG_SECONDS)
            async with aiohttp.ClientSession() as http, http.ws_connect(url, max_msg_size=0) as socket:
                opened = Tab(socket)
                reading = asyncio.create_task(opened.read())
                await opened.attach()
                try:
                    yield opened
                finally:
                    reading.cancel()
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    """The address of the browser's DevTools, which it prints on stderr."""
    assert process.stderr is not None
    output = b""
    async for line in process.stderr:
        output += line
        if found := re.search(rb"DevTools listening on (ws://\S+)", line):
            return found[1].decode()
    raise AssertionError(f"Chromium did not start:\n{output.decode()}")
