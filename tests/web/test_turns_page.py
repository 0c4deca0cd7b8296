"""The debug page of the last turns."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conftest import ProductWith, served
from tests.functions.turns import recording
from tests.telemetry.phone import WAV
from tests.telemetry.test_debug_turns import showing
from tests.web.conftest import DESKTOP, PHONE, Open, pages

WIDER_THAN_ITSELF = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
async def open_turns(tmp_path: Path) -> AsyncIterator[Open]:
    async with served(showing()) as url, pages(f"{url}/turns.html", tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_turns_are_drawn_to_scale(open_turns: Open, product_with: ProductWith, size: tuple[int, int]) -> None:
    """Each part of a turn has a bar for its start and duration; a later turn appears without a reload."""
    product = await product_with(debug_turns=True)
    page = await open_turns(size=size, microphone=False)
    await page.until("document.querySelector('#none').textContent === 'No turn yet.'")
    async with product.post("/process", data=recording(), headers=WAV) as response:
        assert response.status == 200
    await page.until("document.querySelectorAll('.turn').length === 1")

    names = await page.evaluate("[...document.querySelectorAll('.name')].map((name) => name.textContent)")
    assert [name for name in names if name != "synthesize"] == [
        *("listening", "stt", "assistant", "tts", "recognize", "chat", "append")
    ]
    edges = "[...document.querySelectorAll('.bar.stt, .bar.assistant')].map((bar) => bar.getBoundingClientRect())"
    gap = await page.evaluate(f"((one, two) => two.left - one.right)(...{edges})")
    assert abs(gap) < 3
    assert not await page.evaluate(WIDER_THAN_ITSELF)
