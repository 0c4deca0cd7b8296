"""Figures as a table and as JSON."""

import json
from collections.abc import AsyncGenerator

import pytest

from benchmarks.figures import Figure, Target, percentile, show

FIGURE = Figure(
    name="first sound",
    unit="ms",
    values=[float(value) for value in range(901, 921)],
    floor=900.0,
    targets=(Target("over_p50", 10), Target("over_p95", 18), Target("p50", 900, least=True)),
    facts={"failed": 0},
)


async def benchmark() -> AsyncGenerator[Figure]:
    yield FIGURE


def test_percentiles_use_nearest_rank() -> None:
    """The 95th percentile of 20 values is the 19th value, and of a single value that value."""
    assert percentile([float(value) for value in range(1, 21)], 95) == 19
    assert percentile([7.0], 95) == 7


async def test_json_output_has_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Each has the machine, name, unit, n, floor, p50, p95, both above the floor, facts, and targets with results."""
    await show([benchmark, benchmark], as_json=True)

    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first["name"] == second["name"] == "first sound"
    assert (first["unit"], first["n"], first["floor"]) == ("ms", 20, 900)
    assert (first["p50"], first["p95"], first["over_p50"], first["over_p95"]) == (910, 919, 10, 19)
    assert first["failed"] == 0
    assert [target["met"] for target in first["targets"]] == [True, False, True]
    assert set(first["machine"]) == {"cpu", "cores", "python", "os"}


async def test_the_table_begins_with_the_machine(capsys: pytest.CaptureFixture[str]) -> None:
    """The table begins with the machine, and shows for each target whether it is met."""
    await show([benchmark], as_json=False)

    machine, _, _, below = capsys.readouterr().out.splitlines()
    assert machine.startswith("cpu ")
    assert "over p50 ≤ 10: met; over p95 ≤ 18: MISSED; p50 ≥ 900: met; failed 0" in below
