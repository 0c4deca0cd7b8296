"""Import time of the function app, compared with the package that it streams with."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure, Target, command
from benchmarks.processes import ROOT

STREAMING = "azurefunctions.extensions.http.fastapi"
PACKAGES = f"azure.functions, {STREAMING}"
"""The packages that every streaming function app imports; the rest of the time is the product's own."""
APP = "function_app"
PROGRAM = """
import sys, time
began = time.perf_counter()
import {modules}
print([(time.perf_counter() - began) * 1000, len(sys.modules)])
"""
ROUNDS = 20


async def benchmark() -> AsyncGenerator[Figure]:
    """Measure for some twenty seconds."""
    async for figure in imports(ROUNDS):
        yield figure


async def imports(rounds: int) -> AsyncGenerator[Figure]:
    """Import each in fresh processes, in turns, so that a busy moment affects all; the bytecode is compiled before."""
    kinds = (STREAMING, PACKAGES, APP)
    with TemporaryDirectory() as bytecode:
        for modules in kinds:
            _imported(modules, bytecode)
        measured = [[_imported(modules, bytecode) for modules in kinds] for _ in range(rounds)]
    for number, modules in enumerate(kinds):
        values = [taken[number][0] for taken in measured]
        yield Figure(name=f"import {modules}", unit="ms", values=values, facts={"modules": measured[0][number][1]})
    streaming, packages, app = ([taken[number][0] for taken in measured] for number in range(len(kinds)))
    yield Figure(
        name=f"{APP} / {STREAMING}",
        unit="",
        values=[ours / theirs for ours, theirs in zip(app, streaming, strict=True)],
        targets=(Target("p50", 1.3),),
    )
    yield Figure(
        name=f"{APP} / both packages",
        unit="",
        values=[ours / theirs for ours, theirs in zip(app, packages, strict=True)],
    )


def _imported(modules: str, bytecode: str) -> tuple[float, int]:
    """Milliseconds of the import in a fresh process, and the number of modules after it."""
    program = [sys.executable, "-c", PROGRAM.format(modules=modules)]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ["PYTHONPYCACHEPREFIX"] = bytecode
    done = subprocess.run(program, cwd=ROOT, env=environ, capture_output=True, check=True)
    milliseconds, count = json.loads(done.stdout)
    return milliseconds, count


if __name__ == "__main__":
    command(benchmark)
