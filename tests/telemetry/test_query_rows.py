"""Queries over handmade rows with known results: what must count, and what must not."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from tests.infra.templates import INFRA
from tests.telemetry.workspace import Workspace

Row = dict[str, Any]


def turn(user: str, day: int, **properties: object) -> Row:
    """A spoken turn that succeeded, on a day of January."""
    known = {"Spoken": True, "Outcome": "done", "Delivery": "events", "ProcessingTimeMs": 100, **properties}
    return {
        "Name": "VoiceProcessing",
        "UserId": user,
        "TimeGenerated": f"2026-01-{day:02} 10:00:00",
        "Properties": {name: str(value) for name, value in known.items()},
    }


def metric(name: str, total: float, **properties: str) -> Row:
    return {"Name": name, "Sum": total, "Min": total, "Max": total, "Properties": properties}


def request(name: str, code: int, rows: int = 1) -> Row:
    """A sampled request that counts as *rows* requests."""
    return {"Name": name, "ResultCode": str(code), "DurationMs": 10.0, "ItemCount": rows}


def query(name: str, rows: Mapping[str, Iterable[Row]]) -> list[dict[str, Any]]:
    with Workspace() as workspace:
        for table, added in rows.items():
            workspace.add(table, added)
        return workspace.ask((INFRA / "queries" / f"{name}.kql").read_text())


def events(name: str, *rows: Row) -> list[dict[str, Any]]:
    return query(name, {"AppEvents": rows})


PROBES = request("get_health", 200, 900)


@pytest.mark.parametrize(
    ("rows", "percent"),
    [
        ([request("post_process", 200, 70), request("post_process", 502, 30), PROBES], 30),
        ([request("post_process", 503, 20), PROBES], 100),
        ([request("post_clip", 200, 20), request("take_clip", 0, 20)], 0),
        ([request("post_process", 429, 15), request("get_health", 503, 900), request("get_voices", 200, 5)], 0),
    ],
)
def test_health_probes_do_not_hide_failures(rows: list[Row], percent: float) -> None:
    """Failures are a share of clients' requests; the more frequent health probes of Front Door do not count."""
    assert query("failed-requests", {"AppRequests": rows}) == [{"failedPercent": percent}]


def test_few_requests_raise_no_alarm() -> None:
    """Below twenty requests there is no figure, however many probes there are."""
    rows = [request("post_process", 503, 19), PROBES]

    assert query("failed-requests", {"AppRequests": rows}) == []


def test_only_client_requests_are_shown() -> None:
    """Neither health probes nor functions without an HTTP response are in the chart."""
    rows = [request("post_process", 200, 3), request("post_speak", 429), request("take_clip", 0), PROBES]
    found = query("requests-by-answer", {"AppRequests": rows})

    assert {row["answer"]: row["requests"] for row in found} == {"2xx": 3, "4xx": 1}


def test_repeat_use_counts_users_on_another_day() -> None:
    """Typed turns and a second turn on the same day do not count, nor do users without a name."""
    rows = [turn("ann", 1), turn("ann", 3), turn("bob", 2), turn("bob", 2), turn("cid", 1, Spoken=False), turn("", 1)]

    assert events("repeat-use", *rows) == [{"users": 2, "again": 1, "repeatPercent": 50}]


def test_a_first_use_is_the_first() -> None:
    """A user counts on the day of the first spoken turn only."""
    rows = [turn("ann", 1), turn("ann", 3), turn("bob", 3), turn("cid", 3), turn("dan", 2, Spoken=False)]

    assert [row["users"] for row in events("first-use", *rows)] == [1, 2]


def test_played_and_failed_turns_are_not_slow() -> None:
    """Turns whose speech is played in real time, and failed ones, do not count as slow."""
    quick = [turn("ann", 1) for _ in range(20)]
    others = [turn("ann", 1, Delivery="played", ProcessingTimeMs=9000), turn("ann", 1, Outcome="failed")]

    assert events("slow-turns", *quick, *others) == [{"p95Ms": 100}]
    assert events("slow-turns", *quick[1:], *others) == []


def test_stages_are_reported_separately() -> None:
    """Each figure is that of its own stage."""
    (row,) = events("stage-latency", turn("ann", 1, SttMs=1, AssistantMs=2, TtsMs=3, FirstAudioMs=4))

    assert {name: row[name] for name in ("sttMs", "assistantMs", "ttsMs", "firstAudioMs")} == {
        "sttMs": 1,
        "assistantMs": 2,
        "ttsMs": 3,
        "firstAudioMs": 4,
    }


@pytest.mark.parametrize(
    ("name", "counter", "column"),
    [
        ("held-back", "voice.providers.throttled", "requests"),
        ("given-up", "voice.breakers.opened", "times"),
        ("uncounted", "voice.events", "requests"),
    ],
)
def test_counters_add_up(name: str, counter: str, column: str) -> None:
    """A figure is the sum of its own counter over all workers and minutes."""
    rows = [metric(counter, total, **{"voice.event": "limits-down"}) for total in (2, 3)]
    others = [metric("voice.events", 7, **{"voice.event": "replayed"}), metric("voice.limits.hit", 11)]

    assert query(name, {"AppMetrics": [*rows, *others]}) == [{column: 5}]
