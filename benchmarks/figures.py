"""Figures of a benchmark, printed as a table or as JSON."""

import argparse
import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from benchmarks.machine import load, machine

Benchmark = Callable[[], AsyncGenerator["Figure"]]

HEAD = f"{'':46}{'n':>5} {'floor':>7} {'p50':>8} {'p95':>8} {'over p50':>9} {'over p95':>9}"


class BenchmarkFailed(Exception):
    """The run failed, so its figures would be meaningless; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """A limit for a member of a figure."""

    member: str
    limit: float
    least: bool = False
    """Whether *limit* is a lower limit."""

    def __str__(self) -> str:
        return f"{self.member.replace('_', ' ')} {'≥' if self.least else '≤'} {self.limit:g}"

    def met(self, members: Mapping[str, Any]) -> bool:
        value: float = members[self.member]
        return value >= self.limit if self.least else value <= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """The distribution of *values*, all in *unit*."""

    name: str
    unit: str
    values: Sequence[float]
    floor: float | None = None
    """The least possible value: the sum of the scripted delays."""
    targets: Sequence[Target] = ()
    facts: Mapping[str, float | int | str | None] = field(default_factory=dict)
    """Further members."""

    def members(self) -> dict[str, Any]:
        """The figure as a JSON object; ``over_p50`` and ``over_p95`` are the percentiles above the floor."""
        p50, p95 = percentile(self.values, 50), percentile(self.values, 95)
        members = {
            "name": self.name,
            "unit": self.unit,
            "n": len(self.values),
            "floor": self.floor,
            "p50": round(p50, 3),
            "p95": round(p95, 3),
            **({} if self.floor is None else {"over_p50": round(p50 - self.floor, 3)}),
            **({} if self.floor is None else {"over_p95": round(p95 - self.floor, 3)}),
            **self.facts,
        }
        targets = [{"target": str(target), "met": target.met(members)} for target in self.targets]
        return members | {"targets": targets, "load": load()}

    def row(self) -> str:
        """A line of the table, and a second line with targets and facts."""
        members = self.members()
        numbers = [_number(members.get(name), 8) for name in ("p50", "p95")]
        over = [_number(members.get(name), 9) for name in ("over_p50", "over_p95")]
        title = f"{self.name}, {self.unit}" if self.unit else self.name
        first = f"{title:46}{members['n']:>5} {_number(self.floor, 7)} {' '.join(numbers + over)}".rstrip()
        judged = [f"{target['target']}: {'met' if target['met'] else 'MISSED'}" for target in members["targets"]]
        facts = [f"{name.replace('_', ' ')} {value}" for name, value in self.facts.items()]
        below = "; ".join([*judged, *facts, f"load {members['load']}"])
        return f"{first}\n    {below}"


def percentile(values: Sequence[float], percent: int) -> float:
    """By nearest rank: of 20 values the 95th percentile is the 19th."""
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)]


def _number(value: float | None, width: int) -> str:
    if value is None:
        return " " * width
    return f"{value:>{width}.2f}" if abs(value) < 10 else f"{value:>{width}.1f}"


def command(*benchmarks: Benchmark) -> None:
    """Run *benchmarks* and print each figure as soon as it is measured."""
    arguments = argparse.ArgumentParser(description="Run a benchmark; its module's docstring says what it measures.")
    arguments.add_argument("--json", action="store_true", help="one object a line instead of a table")
    as_json: bool = arguments.parse_args().json
    try:
        asyncio.run(show(benchmarks, as_json=as_json))
    except BenchmarkFailed as failure:
        raise SystemExit(f"failed: {failure}") from failure


async def show(benchmarks: Sequence[Benchmark], *, as_json: bool) -> None:
    """Print the machine and the figures of *benchmarks*, as a table or as one object a line."""
    host = machine()
    if not as_json:
        print(", ".join(f"{name} {value}" for name, value in host.items()), HEAD, sep="\n", flush=True)
    for benchmark in benchmarks:
        async with aclosing(benchmark()) as figures:
            async for figure in figures:
                line = json.dumps(figure.members() | {"machine": host}) if as_json else figure.row()
                print(line, flush=True)
