"""Queries over rows written by hand, whose answers can be worked out by hand: what must count, and what must not."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from tests.infra.templates import INFRA
from tests.telemetry.workspace import Workspace

Row = dict[str, Any]


def turn(user: str, day: int, **properties: object) -> Row:
    """A spoken turn that is done, on a day of January."""
    told = {"Spoken": True, "Outcome": "done", "Delivery": "events", "ProcessingTimeMs": 100, **properties}
    return {
        "Name": "VoiceProcessing",
        "UserId": user,
        "TimeGenerated": f"2026-01-{day:02} 10:00:00",
        "Properties": {name: str(value) for name, value in told.items()},
    }


def metric(name: str, total: float, **properties: str) -> Row:
    return {"Name": name, "Sum": total, "Min": total, "Max": total, "Properties": properties}


def request(name: str, code: int, rows: int = 1) -> Row:
    """One that stands for *rows* others of its kind."""
    return {"Name": name, "ResultCode": str(code), "DurationMs": 10.0, "ItemCount": rows}


def asked(name: str, rows: Mapping[str, Iterable[Row]]) -> list[dict[str, Any]]:
    with Workspace() as workspace:
        for table, told in rows.items():
            workspace.add(table, told)
        return workspace.ask((INFRA / "queries" / f"{name}.kql").read_text())


def events(name: str, *rows: Row) -> list[dict[str, Any]]:
    return asked(name, {"AppEvents": rows})


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
def test_probes_do_not_drown_failures(rows: list[Row], percent: float) -> None:
    """Of what people asked for, so much failed; Front Door asks after our health more often than they ask."""
    assert asked("failed-requests", {"AppRequests": rows}) == [{"failedPercent": percent}]


def test_few_requests_raise_no_alarm() -> None:
    """Below twenty nothing is told, however many probes there are."""
    rows = [request("post_process", 503, 19), PROBES]

    assert asked("failed-requests", {"AppRequests": rows}) == []


def test_answers_are_people_s() -> None:
    """Neither probes nor functions that answer nobody are among the answers."""
    rows = [request("post_process", 200, 3), request("post_speak", 429), request("take_clip", 0), PROBES]
    answers = asked("requests-by-answer", {"AppRequests": rows})

    assert {answer["answer"]: answer["requests"] for answer in answers} == {"2xx": 3, "4xx": 1}


def test_who_comes_back_comes_on_another_day() -> None:
    """Typing is no speaking, and twice on a day is not again; users without a name are nobody."""
    rows = [turn("ann", 1), turn("ann", 3), turn("bob", 2), turn("bob", 2), turn("cid", 1, Spoken=False), turn("", 1)]

    assert events("repeat-use", *rows) == [{"users": 2, "again": 1, "repeatPercent": 50}]


def test_a_first_use_is_the_first() -> None:
    """However often somebody came later."""
    rows = [turn("ann", 1), turn("ann", 3), turn("bob", 3), turn("cid", 3), turn("dan", 2, Spoken=False)]

    assert [row["users"] for row in events("first-use", *rows)] == [1, 2]


def test_a_turn_that_is_played_takes_as_long_as_it_sounds() -> None:
    """It is not slow for that, and neither is one that failed."""
    quick = [turn("ann", 1) for _ in range(20)]
    others = [turn("ann", 1, Delivery="played", ProcessingTimeMs=9000), turn("ann", 1, Outcome="failed")]

    assert events("slow-turns", *quick, *others) == [{"p95Ms": 100}]
    assert events("slow-turns", *quick[1:], *others) == []


def test_stages_are_told_apart() -> None:
    """Each figure is of its own stage."""
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
    """Of all workers and minutes, and of nothing else."""
    rows = [metric(counter, total, **{"voice.event": "limits-down"}) for total in (2, 3)]
    others = [metric("voice.events", 7, **{"voice.event": "replayed"}), metric("voice.limits.hit", 11)]

    assert asked(name, {"AppMetrics": [*rows, *others]}) == [{column: 5}]
