"""The processes of engines: CPU time and memory of a server's children, from ``/proc``."""

import os
import re
from pathlib import Path

PROC = Path("/proc")


def children(pid: int) -> list[int]:
    """The processes that *pid* has started and that still run; none where there is no /proc."""
    return [int(stat.parent.name) for stat in PROC.glob("[0-9]*/stat") if _fields(stat)[1:2] == [str(pid)]]


def cpu_seconds(pid: int) -> float:
    """CPU time of the children of *pid*, including those that have ended, in steps of a clock tick (10 ms)."""
    own = _fields(PROC / str(pid) / "stat")
    # proc(5), by the fields after the name in brackets: utime, stime, and both of the children that were waited for.
    ticks = sum(map(int, own[13:15])) if own else 0
    for child in children(pid):
        ticks += sum(map(int, _fields(PROC / str(child) / "stat")[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> dict[str, float]:
    """Memory (PSS) of each engine's process that *pid* has started, in MB, by engine and number."""
    sizes: dict[str, float] = {}
    for child in sorted(children(pid)):
        try:
            rollup = (PROC / str(child) / "smaps_rollup").read_text()
            command = (PROC / str(child) / "cmdline").read_text()
        except OSError:  # it has ended
            continue
        size, name = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE), re.search(r"(\w+)_worker", command)
        if size and name:
            count = sum(known.startswith(name[1]) for known in sizes)
            sizes[f"{name[1]}_{count + 1}_mb"] = round(int(size[1]) / 1000, 1)
    return sizes


def _fields(stat: Path) -> list[str]:
    """The fields after the name, which may contain spaces and brackets; none of a process that has ended."""
    try:
        return stat.read_text().rpartition(")")[2].split()
    except OSError:
        return []
