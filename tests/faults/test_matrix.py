"""The fault matrix: whatever a service does, the caller gets the best possible valid response in time."""

import asyncio
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest

from fakes.eventually import HANG_SECONDS
from fakes.fault_matrix import (
    DEADLINES,
    FAULTS,
    LONG_SECONDS,
    ROWS,
    SHORT_SECONDS,
    SLOW,
    WELL_SECONDS,
    Outcome,
    Row,
)
from fakes.fault_wire import Fault
from tests.faults.conftest import Make, WiredProduct
from tests.functions.test_contract import validator
from tests.functions.turns import parse_sse, recording

CELLS = [pytest.param(row, fault, id=f"{row.name}, {fault.name}") for row in ROWS for fault in FAULTS]


@pytest.mark.parametrize(("row", "fault"), CELLS)
async def test_a_fault_has_the_outcome_of_the_matrix(wired: Make, row: Row, fault: Fault, record_property: Any) -> None:
    """The response is valid by the contract and has the outcome of the matrix; its duration is recorded."""
    deadlines = {name: WELL_SECONDS for names in DEADLINES.values() for name in names}
    deadlines |= dict.fromkeys(DEADLINES[row.service], SHORT_SECONDS if fault.name in SLOW else LONG_SECONDS)
    it: WiredProduct = await wired(**deadlines, **row.settings)
    request = await _request(it, row)
    if not row.cold:
        await _served_well(it, request, row)
    await it.wires[row.service].break_with(row.fault(fault))
    began = monotonic()
    async with asyncio.timeout(HANG_SECONDS):
        outcome = await _responded(it, _fresh(request, row))
    for name, value in {"row": row.name, "fault": fault.name, "ms": round((monotonic() - began) * 1000)}.items():
        record_property(name, value)

    assert outcome == row.outcomes[fault.name]


async def _request(it: WiredProduct, row: Row) -> dict[str, Any]:
    """The arguments of the request for aiohttp; the resources in its path are created first."""
    request = dict(row.request)
    if request.pop("spoken", False):
        request["data"] = recording()
    path: str = request.pop("path")
    if "{speech}" in path:
        async with it.product.post("/process", json={"text": "Hello there.", "speech": "url"}) as response:
            path = (await response.json())["speechUrl"].removeprefix("/api/voice")
    if "{clip}" in path:
        async with it.product.post("/clips", json={}) as response:
            path = path.format(clip=(await response.json())["clipId"])
    return {"url": f"{it.product.url}{path}", **request}


async def _served_well(it: WiredProduct, request: dict[str, Any], row: Row) -> None:
    """Send the request until it succeeds, so that all connections are open: the first may exceed a short deadline."""
    status, body = 0, b""
    for _ in range(20):
        async with it.product.http.request(**_fresh(request, row)) as response:
            status, body = response.status, await response.read()
        if status < 300 and b'"degraded":["' not in body:
            return
    raise AssertionError(f"{status}: {body[:500]!r}")


def _fresh(request: dict[str, Any], row: Row) -> dict[str, Any]:
    """The request, with a new idempotency key if its row has one."""
    return request | {"headers": {"Idempotency-Key": uuid4().hex}} if row.keyed else request


async def _responded(it: WiredProduct, request: dict[str, Any]) -> Outcome:
    async with it.product.http.request(**request) as response:
        text = await response.text()
        if response.content_type == "text/event-stream":
            return _streamed(parse_sse(text))
        assert response.content_type in ("application/json", "application/problem+json"), (response.status, text)
        document = await response.json(content_type=None)
        if response.status >= 400:
            validator("Problem").validate(document)
            assert response.headers.get("Retry-After") == _text(document.get("retryAfter"))
        elif "transcription" in document:
            validator("ProcessAnswer").validate(document)
        return _outcome(response.status, document)


def _streamed(events: list[dict[str, Any]]) -> Outcome:
    checking = validator("Event")
    for event in events:
        checking.validate(event)
    last = events[-1]
    assert last["type"] in ("turn.done", "error")
    sound = {"audioData": "."} if any(e["type"] == "speech.audio.delta" for e in events) else {}
    return _outcome(last.get("status", 200), last | sound)


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _outcome(status: int, document: dict[str, Any]) -> Outcome:
    return Outcome(
        status=status,
        code=document.get("code", ""),
        stage=document.get("stage", ""),
        retryable=document.get("retryable", False),
        retry_after="retryAfter" in document,
        results=tuple(name for name in ("transcription", "responseText", "audioData") if document.get(name)),
        degraded=tuple(document.get("degraded", ())),
    )
