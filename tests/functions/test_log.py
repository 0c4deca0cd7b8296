"""The log that an operator reads."""

import logging

import pytest

from emulators.script import Step
from tests.conftest import Product
from tests.functions.calls import call

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "Accept": "text/event-stream"}


async def lines(product: Product, caplog: pytest.LogCaptureFixture, body: dict[str, str]) -> list[str]:
    """The log lines of a request with *body*."""
    with caplog.at_level(logging.INFO, "voice"):
        async with product.post("/process", json=body, headers=HEADERS) as response:
            await response.read()
    return [record.getMessage() for record in caplog.records if record.name == "voice"]


async def test_a_turn_leaves_one_line(product: Product, caplog: pytest.LogCaptureFixture) -> None:
    """It has the request's id and the stages' times, and no words of the user or the assistant."""
    (line,) = await lines(product, caplog, {"text": "a-private-question"})

    assert line.startswith(f"turn request={TRACE} turn=")
    assert "outcome=done" in line
    assert "firstAudio=" in line
    assert "private" not in line


async def test_a_degraded_turn_is_logged(product: Product, caplog: pytest.LogCaptureFixture) -> None:
    """A reply without speech leaves a line with the missing part and the stage that failed."""
    product.services.speech.clear()
    product.services.speech.add("tts", Step(status=503, repeat=True))
    degraded, turn = await lines(product, caplog, {"text": "hello"})

    assert degraded.startswith(f"degraded request={TRACE} ")
    assert "part=speech" in degraded
    assert "stage=tts" in degraded
    assert "outcome=done" in turn


async def test_a_turn_that_breaks_off_is_logged(product: Product, caplog: pytest.LogCaptureFixture) -> None:
    """An error that is an event, after the response's head, is logged too."""
    product.services.openai.add("chat", Step(text="One. Two. Three.", drop_after=2))
    (turn,) = await lines(product, caplog, {"text": "hello"})

    assert "outcome=failed" in turn
    assert "stage=assistant" in turn


async def test_a_refused_request_is_logged(product: Product, caplog: pytest.LogCaptureFixture) -> None:
    """The line has the error's code and the id that the response has."""
    (line,) = await lines(product, caplog, {})

    assert line.startswith(f"refused request={TRACE} code=nothing-said")


async def test_a_session_logs_no_addresses(product: Product, caplog: pytest.LogCaptureFixture) -> None:
    """A client's network address must not be logged, not by the WebRTC library either."""
    with caplog.at_level(logging.INFO):
        async with call(product):
            pass

    assert not [record.name for record in caplog.records if record.name.startswith(("aioice", "aiortc"))]
