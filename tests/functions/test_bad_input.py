"""Every invalid input gets a clear error; nothing is paid for or stored."""

from math import inf, nan
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import ROOT, Product
from tests.functions.bad_input import CASES, Case
from voice_core.domain.errors import Throttled
from voice_core.functions.http.problems import problem

ERRORS_PAGE = Path(ROOT, "docs", "errors.md")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sent)
async def test_bad_input_is_reported_and_costs_nothing(small_product: Product, case: Case) -> None:
    """A problem document with the table's status and code; no provider is called, no turn is stored."""
    body: dict[str, Any] = {"data": case.body} if isinstance(case.body, bytes) else {"json": case.body}
    skip = () if case.body is not None else ("Content-Type",)
    async with small_product.http.request(
        case.method, f"{small_product.url}{case.path}", headers=case.headers, skip_auto_headers=skip, **body
    ) as response:
        assert response.headers["content-type"].startswith("application/problem+json"), await response.text()
        problem = await response.json(content_type=None)

    assert (response.status, problem["code"]) == (case.status, case.code), problem
    assert problem["status"] == case.status
    assert problem["detail"]
    assert problem["retryable"] is False
    assert not small_product.services.paid()
    async with small_product.get("/conversations") as response:
        assert (await response.json())["conversations"] == []


async def test_only_a_recording_makes_json_large(product: Product) -> None:
    """Millions of other items are refused before they are parsed: that would delay all requests of the worker."""
    body = b'{"x": [' + b"[]," * 200_000 + b"[]]}"
    async with product.post("/process", data=body, headers={"Content-Type": "application/json"}) as response:
        problem = await response.json(content_type=None)

    assert (response.status, problem["code"]) == (413, "body-too-large")


@pytest.mark.parametrize(
    ("seconds", "wait"), [(0.2, 1), (1.2, 2), (-3.0, 1), (86_400.1, 86_401), (inf, None), (nan, None), (10**400, None)]
)
def test_retry_after_is_whole_seconds_rounded_up(seconds: float, wait: int | None) -> None:
    """A provider's wait is rounded up and at least one second; one that is not finite or absurdly long is left out."""
    assert problem(Throttled("Later.", stage="assistant", retry_after=seconds)).get("retryAfter") == wait


def test_the_table_is_documented() -> None:
    """docs/errors.md has each of these rows and no other."""
    documented = [
        line for line in ERRORS_PAGE.read_text().splitlines() if line.startswith("| ") and line.endswith("` |")
    ]

    assert documented == [case.row for case in CASES]


def test_the_table_is_long_enough() -> None:
    """The table has at least forty rows."""
    assert len(CASES) >= 40


EMPTY = ("language", "languages", "phrases", "voice", "speech", "conversationId", "responseFormat", "sampleRate")


@pytest.mark.parametrize("in_form", [True, False], ids=["form", "JSON"])
async def test_an_empty_member_is_as_an_absent_one(product: Product, in_form: bool) -> None:
    """Forms send all of their fields, and typed clients all of their members."""
    members = dict.fromkeys(EMPTY, "") | {"text": "hi"}
    form = aiohttp.MultipartWriter("form-data")
    for name, value in members.items():
        form.append(value).set_content_disposition("form-data", name=name)
    async with product.post("/process", **({"data": form} if in_form else {"json": members})) as response:
        document = await response.json()
    assert (response.status, document["transcription"]) == (200, "hi")
