"""The machine on which figures are measured."""

import os
import platform
from collections.abc import Iterator
from pathlib import Path


def machine() -> dict[str, str | int]:
    """CPU, cores, Python and operating system."""
    return {
        "cpu": next(_cpu_models(), platform.processor() or platform.machine()),
        "cores": os.cpu_count() or 1,
        "python": platform.python_version(),
        "os": platform.platform(terse=True),
    }


def load() -> float | None:
    """Load average of the last minute, including this benchmark; None if the system has none."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def resident_bytes() -> int:
    """Resident memory of this process now; 0 where there is no /proc."""
    return _memory_bytes("VmRSS")


def peak_bytes() -> int:
    """Peak resident memory of this process; 0 where there is no /proc."""
    # getrusage would include the memory of the parent at the fork.
    return _memory_bytes("VmHWM")


def _memory_bytes(kind: str) -> int:
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{kind}:")), 0)


def _cpu_models() -> Iterator[str]:
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text().splitlines() if listed.exists() else []
    return (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
