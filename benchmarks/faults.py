"""The fault matrix, run once: printed, and kept in docs/reliability.md with the times that it took."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

import pytest

from benchmarks.machine import load, machine
from tests.faults.matrix import FAULTS, LONG_SECONDS, ROWS, SHORT_SECONDS, SLOW, Row

PAGE = Path(__file__).parent.parent / "docs" / "reliability.md"
BEGIN, END = "<!-- fault matrix -->", "<!-- end -->"

HEAD = """
| what is asked of | what it does | what the caller gets | what is kept | ms | deadline |
|---|---|---|---|---|---|
"""
MARGIN_MS = 250
"""For all that is no waiting, on a machine that does other things too."""


class Times:
    """How long each cell took: a plugin of pytest's."""

    def __init__(self) -> None:
        self.ms: dict[tuple[str, str], int] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told = dict(report.user_properties)
        if report.when == "call" and "ms" in told:
            self.ms[str(told["row"]), str(told["fault"])] = int(str(told["ms"]))


def table(ms: Mapping[tuple[str, str], int]) -> str:
    """The matrix as Markdown: faults that end alike share a line, whose time is the longest of theirs."""
    return HEAD.lstrip() + "".join(line for row in ROWS for line in _lines(row, ms))


def deadline_ms(row: Row, fault: str) -> int:
    """What a cell may take."""
    return round(1000 * row.waits * (SHORT_SECONDS if fault in SLOW else LONG_SECONDS))


def _lines(row: Row, ms: Mapping[tuple[str, str], int]) -> Iterator[str]:
    def ending(fault: str) -> tuple[str, str, int]:
        outcome = row.outcomes[fault]
        kept = ", ".join(f"`{member}`" for member in outcome.kept)
        return str(outcome), kept, deadline_ms(row, fault)

    names = sorted((fault.name for fault in FAULTS), key=ending)
    for (outcome, kept, deadline), alike in groupby(names, ending):
        faults = [*alike]
        longest = max(ms[row.name, fault] for fault in faults)
        yield f"| {row.name} | {', '.join(faults)} | {outcome} | {kept} | {longest} | {deadline} |\n"


def main() -> None:
    times = Times()
    if pytest.main(["-q", "-n", "0", "-p", "no:cacheprovider", "tests/faults/test_matrix.py"], plugins=[times]):
        raise SystemExit("failed: the matrix is not as it should be")
    print(*machine().values(), f"load {load()}")
    print(made := table(times.ms))
    late = {cell: took for cell, took in times.ms.items() if took > deadline_ms(_row(cell[0]), cell[1]) + MARGIN_MS}
    if late:
        raise SystemExit(f"failed: deadlines that were not kept: {late}")
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{made}\n{END}{rest.partition(END)[2]}")


def _row(name: str) -> Row:
    return next(row for row in ROWS if row.name == name)


if __name__ == "__main__":
    main()
