"""The page in a real browser, with the complete product as its backend."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from azure.storage.blob import CorsRule
from azure.storage.blob.aio import BlobServiceClient
from starlette.applications import Starlette
from starlette.routing import Mount

from local_host.page import page_routes
from tests.conftest import ROOT, Account, Product, Services, function_host, served
from tests.web.devtools import Tab, tab
from tests.web.microphone import Words, sample, write_microphone

Open = Callable[..., Awaitable[Tab]]

DESKTOP = (1280, 800)
PHONE = (360, 740)

FAKE_MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"
"""Blocks WebRTC, as many office networks do. (Chromium before 2023 called it force-webrtc-ip-handling-policy.)"""


@pytest.fixture
async def services(services: Services) -> Services:
    """Services with long timeouts: PocketSphinx is slow beside a browser, and a press lasts until speech is heard."""
    return replace(services, settings=replace(services.settings, stt_seconds=1000.0, max_audio_seconds=600))


@pytest.fixture
async def open_page(product: Product, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens the page; every tab is closed at the end, and must not have reported an error."""
    async with pages(product.url.removesuffix("/api/voice"), tmp_path) as opened:
        yield opened


@asynccontextmanager
async def pages(url: str, folder: Path) -> AsyncIterator[Open]:
    """A function that opens the page at *url*; the sound of its microphone is written to *folder*.

    It says the sample again and again, or a *question* once, three seconds after the first press.
    """
    async with AsyncExitStack() as stack:

        async def opened(
            *flags: str,
            size: tuple[int, int] = DESKTOP,
            dark: bool = False,
            microphone: bool = True,
            question: Words | None = None,
        ) -> Tab:
            sound = _microphone_sound(folder / "microphone.wav", question)
            fake = (*FAKE_MICROPHONE, f"--use-file-for-fake-audio-capture={sound}") if microphone else ()
            page = await stack.enter_async_context(tab((*fake, *flags)))
            stack.callback(_check_no_complaints, page)
            await set_appearance(page, size, dark=dark)
            await page.go(url)
            return page

        yield opened


@pytest.fixture
async def open_clip_page(
    clip_product: Product, account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[Open]:
    """Opens the page with storage that accepts uploads of its origin and that its policy names."""
    monkeypatch.setenv("STORAGE_URL", account.url)
    page = Starlette(routes=[*page_routes(ROOT / "clients" / "web"), Mount("/", function_host())])
    async with served(page) as url:
        await _allow_origin(url, account)
        async with pages(url, tmp_path) as opened:
            yield opened


async def _allow_origin(origin: str, account: Account) -> None:
    rule = CorsRule([origin], ["PUT"], allowed_headers=["*"], max_age_in_seconds=3600)
    async with BlobServiceClient.from_connection_string(account.connection) as client:
        await client.set_service_properties(cors=[rule])


def _microphone_sound(path: Path, question: Words | None) -> Path:
    # Press and release are late on a busy machine: the pauses are so long that each word is said between them.
    if question:
        return write_microphone(path, question, before_seconds=3, after_seconds=120)
    return write_microphone(path, sample())


def _check_no_complaints(page: Tab) -> None:
    assert page.complaints == []


async def set_appearance(page: Tab, size: tuple[int, int], *, dark: bool) -> None:
    """Set the page's size in CSS pixels, and light or dark mode."""
    width, height = size
    await page.call(
        "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
    )
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    await page.call("Emulation.setEmulatedMedia", features=[scheme])
