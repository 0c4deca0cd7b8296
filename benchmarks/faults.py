"""Runs the fault matrix once, prints it, and writes it with the measured times into docs/reliability.md."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

import pytest

from benchmarks.machine import load, machine
from fakes.fault_matrix import FAULTS, LONG_SECONDS, ROWS, SHORT_SECONDS, SLOW, Row

PAGE = Path(__file__).parent.parent / "docs" / "reliability.md"
BEGIN, END = "<!-- fault matrix -->", "<!-- end -->"

HEAD = """
| operation | fault | response | results in it | ms | deadline |
|---|---|---|---|---|---|
"""
MARGIN_MS = 250
"""Allowance for everything but waiting, on a machine that runs other work too."""


class Times:
    """A pytest plugin that collects how long each cell took."""

    def __init__(self) -> None:
        self.ms: dict[tuple[str, str], int] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        properties = dict(report.user_properties)
        if report.when == "call" and "ms" in properties:
            self.ms[str(properties["row"]), str(properties["fault"])] = int(str(properties["ms"]))


def table(ms: Mapping[tuple[str, str], int]) -> str:
    """The matrix as Markdown: faults with the same outcome share a line, which has their longest time."""
    return HEAD.lstrip() + "".join(line for row in ROWS for line in _lines(row, ms))


def deadline_ms(row: Row, fault: str) -> int:
    """The time in which a cell must end."""
    return round(1000 * row.waits * (SHORT_SECONDS if fault in SLOW else LONG_SECONDS))


def _lines(row: Row, ms: Mapping[tuple[str, str], int]) -> Iterator[str]:
    def ending(fault: str) -> tuple[str, str, int]:
        outcome = row.outcomes[fault]
        results = ", ".join(f"`{member}`" for member in outcome.results)
        return str(outcome), results, deadline_ms(row, fault)

    names = sorted((fault.name for fault in FAULTS), key=ending)
    for (outcome, results, deadline), alike in groupby(names, ending):
        faults = [*alike]
        longest = max(ms[row.name, fault] for fault in faults)
        yield f"| {row.name} | {', '.join(faults)} | {outcome} | {results} | {longest} | {deadline} |\n"


def main() -> None:
    times = Times()
    if pytest.main(["-q", "-n", "0", "-p", "no:cacheprovider", "tests/faults/test_matrix.py"], plugins=[times]):
        raise SystemExit("failed: the tests of the matrix failed")
    print(*machine().values(), f"load {load()}")
    print(made := table(times.ms))
    exceeded = {cell: took for cell, took in times.ms.items() if took > deadline_ms(_row(cell[0]), cell[1]) + MARGIN_MS}
    if exceeded:
        raise SystemExit(f"failed: exceeded deadlines: {exceeded}")
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{made}\n{END}{rest.partition(END)[2]}")


def _row(name: str) -> Row:
    return next(row for row in ROWS if row.name == name)


if __name__ == "__main__":
    main()
