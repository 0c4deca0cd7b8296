"""The report of a fuzz run as a table."""

import os
import platform
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tests.conftest import ROOT
from tests.hygiene.fuzz_run import Report
from tests.hygiene.fuzz_worker import UNTYPED, InputResult


def table(report: Report, kinds: Sequence[str]) -> str:
    """The report as lines of text: a line for each kind, then the figures of the run, then each finding."""
    return "\n".join([*_kind_lines(report, kinds), "", *_figures(report), *_findings(report, kinds)])


def _kind_lines(report: Report, kinds: Sequence[str]) -> Iterator[str]:
    by_kind: dict[str, list[InputResult]] = defaultdict(list)
    for one in report.results:
        by_kind[one.kind].append(one)
    crashes = Counter(kinds[number % len(kinds)] for number in (*report.crashed, *report.hung))
    titles = f"{'kind':10} {'inputs':>7} {'crashes':>7} {'untyped':>7} {'most steps':>10} {'slowest':>8}"
    yield f"{titles}  outcomes; ends of decoder processes"
    for kind in sorted({*by_kind, *crashes}):
        yield _kind_line(kind, by_kind[kind], crashes[kind])


def _kind_line(kind: str, results: list[InputResult], crashes: int) -> str:
    outcomes = Counter(one.outcome for one in results)
    untyped = outcomes.pop(UNTYPED, 0)
    ends = Counter(f"decoder {reason}" for one in results for reason in one.decoders)
    counted = "; ".join(", ".join(f"{name} {count}" for name, count in each.most_common()) for each in (outcomes, ends))
    steps = max((one.steps for one in results), default=0)
    slowest = max((one.seconds for one in results), default=0.0)
    counts = f"{len(results) + crashes:7} {crashes:7} {untyped:7} {steps:10} {slowest:6.2f} s"
    return f"{kind:10} {counts}  {counted.removesuffix('; ')}"


def _figures(report: Report) -> Iterator[str]:
    yield f"{'inputs':24} {len(report.results) + len(report.crashed) + len(report.hung)}"
    yield f"{'crashes':24} {len(report.crashed)}"
    yield f"{'hangs':24} {len(report.hung)}"
    yield f"{'untyped errors':24} {len(report.untyped)}"
    yield f"{'decoders that ended':24} {sum(len(one.decoders) for one in report.results)}"
    yield f"{'too many steps':24} {len(report.busy)}"
    yield f"{'most memory of a worker':24} {report.peak_bytes / 1e6:.0f} MB"
    yield f"{'growth in the end':24} {report.growth_bytes / 1e6:.0f} MB"


def _findings(report: Report, kinds: Sequence[str]) -> Iterator[str]:
    for number, how in report.crashed.items():
        yield f"\n{kinds[number % len(kinds)]} {number}: {how}"
    for number in report.hung:
        yield f"\n{kinds[number % len(kinds)]} {number}: hangs"
    for one in report.busy:
        yield f"\n{one.kind} {one.number}: {one.steps} steps"
    for one in _first_of_each(report.untyped):
        yield f"\n{one.kind} {one.number}: {one.error}"


def _first_of_each(results: list[InputResult]) -> list[InputResult]:
    """The first input with each error."""
    first: dict[tuple[str, str], InputResult] = {}
    for one in sorted(results, key=lambda one: one.number):
        first.setdefault((one.kind, "\n".join(one.error.splitlines()[-3:])), one)
    return list(first.values())


def heading(command: str, count: int, seconds: float) -> str:
    """The *command*, the commit, the machine, and how long *count* inputs took."""
    git = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    speed = f"{seconds:.0f} s, {count / max(seconds, 0.001):.0f} a second"
    return f"{command}\ncommit {commit.stdout.strip()}; {machine}; {speed}\n"
