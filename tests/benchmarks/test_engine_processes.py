"""CPU time and memory of a server's children."""

import asyncio
import os
import sys

import pytest

from benchmarks.engine_processes import PROC, children, cpu_seconds

pytestmark = pytest.mark.skipif(not (PROC / "self" / "stat").exists(), reason="there is no /proc")
WORK = "sum(range(10_000_000))"


async def test_the_work_of_a_child_counts_after_its_end() -> None:
    """A child is found while it runs, and its CPU time is still counted once it has ended."""
    before = cpu_seconds(os.getpid())
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", f"input(); {WORK}", stdin=asyncio.subprocess.PIPE
    )
    assert child.pid in children(os.getpid())
    await child.communicate(b"\n")
    assert child.pid not in children(os.getpid())
    assert cpu_seconds(os.getpid()) > before
