"""The queries of alerts and workbook, over the telemetry of a run of the product."""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.figures import percentile
from fakes.ingestion import ingesting
from tests.conftest import ProductWith
from tests.infra.templates import INFRA
from tests.issuers import Issuer
from tests.telemetry.phone import Phone
from tests.telemetry.run import SPOKEN, fill, run
from tests.telemetry.workspace import Workspace

Rows = list[dict[str, Any]]


@pytest.fixture
async def finished_run(product_with: ProductWith, issuer: Issuer) -> AsyncIterator[tuple[Phone, Workspace]]:
    """The client of the run, and the workspace with the telemetry of the run."""
    async with ingesting() as ingestion:
        there = ingestion.connection_string
        product = await product_with(
            applicationinsights_connection_string=there, speeches_per_minute=1, **issuer.settings
        )
        phone = Phone(product, issuer)
        await run(phone)
        with Workspace() as workspace:
            fill(workspace, phone, ingestion)
            yield phone, workspace


async def test_queries_agree_with_the_client(finished_run: tuple[Phone, Workspace]) -> None:
    """Alerts and workbook have the figures that follow from the statuses and times that the client received."""
    phone, workspace = finished_run
    alerts_measure(phone, workspace)
    success_is_shown(workspace)
    providers_are_measured(phone, workspace)
    charts_add_up(phone, workspace)


def alerts_measure(phone: Phone, workspace: Workspace) -> None:
    """Each alert's query returns one number."""
    done = [*phone.spoken, *phone.typed]
    statuses = [int(request["ResultCode"]) for request in phone.requests]
    expected = {
        "failed-requests": {"failedPercent": 100 * sum(status >= 500 for status in statuses) / len(statuses)},
        "failed-turns": {"failedPercent": 100 * 3 / (SPOKEN + 2 + 3)},
        "slow-turns": {"p95Ms": p95(done, "total")},
        "slow-first-audio": {"p95Ms": p95(phone.spoken, "firstAudio")},
        "slow-stt": {"p95Ms": p95(phone.spoken, "stt")},
        "slow-assistant": {"p95Ms": p95(done, "assistant")},
        "slow-tts": {"p95Ms": p95(phone.spoken, "tts")},
        "held-back": {"requests": 1},
        "given-up": {"times": 1},
        "uncounted": {"requests": 2},
        "poison-clips": {"clips": 1},
    }

    assert {name: result(workspace, name) for name in expected} == {name: [row] for name, row in expected.items()}


def success_is_shown(workspace: Workspace) -> None:
    """The success metrics, and the outcomes of turns, sessions, clips and requests."""
    expected: dict[str, Rows] = {
        "adoption": [{"users": 3, "speaking": 2, "adoptionPercent": pytest.approx(100 * 2 / 3)}],
        "repeat-use": [{"users": 2, "again": 1, "repeatPercent": 50}],
        "session-completion": [{"sessions": 2, "completed": 1, "completionPercent": 50}],
        "clips-done": [{"outcome": "done", "code": "", "attempts": 1}],
        "blocked-by-firewall": [{"rule": "perAddress", "action": "Block", "requests": 1}],
    }

    assert {name: result(workspace, name) for name in expected} == expected
    assert totals(workspace, "how-turns-end", "code", "turns") == {
        "": SPOKEN + 2,
        "stage-failed": 2,
        "stage-unavailable": 1,
        "no-speech": 1,
    }
    assert totals(workspace, "session-ends", "reason", "sessions") == {"client-left": 1, "stopped": 1}
    assert sum(row["users"] for row in result(workspace, "first-use")) == 2
    assert totals(workspace, "limits-hit", "limit", "requests") == {"speeches": 1}
    assert totals(workspace, "what-happened", "what", "times")["limit-reached"] == 1


def providers_are_measured(phone: Phone, workspace: Workspace) -> None:
    """Tokens, seconds of speech and calls of providers."""
    chats = [served for served in phone.product.services.openai.served if served.operation == "chat"]
    calls = totals(workspace, "provider-calls", "Name", "calls")

    assert calls["chat offline"] >= len(chats)
    assert calls["append"] == SPOKEN + 2 + 3
    assert totals(workspace, "audio-seconds", "direction", "seconds")["heard"] == SPOKEN + 3
    assert totals(workspace, "tokens", "what", "tokens")["input"] > 0


def charts_add_up(phone: Phone, workspace: Workspace) -> None:
    """The sums of the hourly charts are the totals of the run."""
    hours = result(workspace, "success-rate")
    succeeded = sum(hour["turns"] * hour["successPercent"] / 100 for hour in hours)
    slowest = result(workspace, "slowest-turns")
    open_sessions = result(workspace, "sessions-open")

    assert succeeded == pytest.approx(SPOKEN + 2)
    assert sum(hour["turns"] for hour in hours) == SPOKEN + 2 + 3
    statuses = Counter(f"{request['ResultCode'][0]}xx" for request in phone.requests)
    assert totals(workspace, "requests-by-answer", "answer", "requests") == statuses
    assert totals(workspace, "latency-by-function", "Name", "requests")["post_process"] == len(phone.requests) - 4
    assert max(row["firstAudioMs"] for row in result(workspace, "stage-latency")) >= p95(phone.spoken, "firstAudio")
    assert (len(slowest), slowest[0]["ms"]) == (20, max(row["ms"] for row in slowest))
    assert open_sessions
    assert sum(row["sessions"] for row in open_sessions) == 0
    assert sum(row["failures"] for row in result(workspace, "clip-events")) == 1


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        *((client, False) for client in ("RequestCanceled", "RequestBodyCanceled", "RequestBodyClient")),
        *((client, False) for client in ("ResponseBodyCanceled", "ResponseBodyClient")),
        *((ours, True) for ours in ("Request", "RequestTimedOut", "RequestBodyDestination", "ResponseBodyDestination")),
    ],
)
def test_a_hang_up_is_no_failure(error: str, *, counts: bool) -> None:
    """A request that the host counts as failed because its client hung up counts neither as failed nor as served."""
    message = f"Failed to proxy request with ForwarderError: {error}"
    statuses = ["200"] * 20 + ["500"]
    with Workspace() as workspace:
        workspace.add(
            "AppRequests",
            [
                {"Name": "post_process", "ResultCode": status, "OperationId": f"operation {number}", "ItemCount": 1}
                for number, status in enumerate(statuses)
            ],
        )
        workspace.add("AppExceptions", [{"OperationId": "operation 20", "Details": json.dumps([{"message": message}])}])

        assert result(workspace, "failed-requests") == [{"failedPercent": 100 / 21 if counts else 0}]


def test_every_query_is_tried() -> None:
    """Each file of infra/queries is used in a test of this file."""
    tried = set(re.findall(r'"([a-z]+(?:-[a-z]+)+|adoption|tokens|uncounted)"', Path(__file__).read_text()))

    assert {file.stem for file in (INFRA / "queries").glob("*.kql")} <= tried


def result(workspace: Workspace, name: str) -> Rows:
    return workspace.ask((INFRA / "queries" / f"{name}.kql").read_text())


def totals(workspace: Workspace, name: str, what: str, count: str) -> dict[str, float]:
    """The sums of the column *count* in a query's rows, by the column *what*."""
    counted: Counter[str] = Counter()
    for row in result(workspace, name):
        counted[row[what]] += row[count]
    return dict(counted)


def p95(turns: list[dict[str, float]], stage: str) -> float:
    return percentile([turn[stage] for turn in turns], 95)
