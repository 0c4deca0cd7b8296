"""Servers in separate processes, so that their CPU and memory can be measured separately."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import BenchmarkFailed

ROOT = Path(__file__).parent.parent
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Child:
    """A server process."""

    pid: int
    addresses: Mapping[str, str]
    """Addresses and keys that it printed when it was ready, by the names of settings."""

    @property
    def cpu_seconds(self) -> float | None:
        """CPU time of all its threads so far; None where there is no /proc."""
        text = self._proc("stat")
        if text is None:
            return None
        # proc(5): the fields after the name in brackets, utime and stime the 12th and 13th of them.
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def cpu_seconds_since(self, before: float | None) -> float | None:
        """CPU time since `cpu_seconds` was *before*."""
        now = self.cpu_seconds
        return None if now is None or before is None else now - before

    @property
    def resident_bytes(self) -> int | None:
        """Resident memory; None where there is no /proc."""
        text = self._proc("statm")
        return None if text is None else int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def _proc(self, name: str) -> str | None:
        path = Path(f"/proc/{self.pid}/{name}")
        return path.read_text() if path.exists() else None


@asynccontextmanager
async def child(module: str, *arguments: str, settings: Mapping[str, str] | None = None) -> AsyncIterator[Child]:
    """Run *module* with *settings* in its environment; it prints its addresses as a line of JSON once it is ready.

    Raises:
        BenchmarkFailed: the process did not start.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, cwd=ROOT, env={**os.environ, **(settings or {})}, stdout=-1
    )
    try:
        yield Child(process.pid, await _addresses(module, process))
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _addresses(module: str, process: asyncio.subprocess.Process) -> dict[str, str]:
    if process.stdout is None:
        raise TypeError(process)
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        addresses: dict[str, Any] = json.loads(line)
    except (TimeoutError, ValueError) as error:
        raise BenchmarkFailed(f"{module} did not start; see its output above") from error
    return {name: str(address) for name, address in addresses.items()}
