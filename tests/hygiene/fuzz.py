"""Passes generated inputs of all kinds to the functions of the product that parse them, and counts the outcomes.

    python -m tests.hygiene.fuzz [--count 200000] [--seed 1] [--kind mp4 --kind ogg] [--first 0] [--jobs 2]

Generators are in `structure`, the parsing functions in `doors`, the kinds in `kinds`. An input is known by seed, kind
and number: ``--kind mp4 --first 4711 --count 1`` repeats it. The run takes place in separate processes, so that a crash
of native code is counted like any other; recordings are decoded by the product's own decoder processes. The exit status
is 1 after a crash, an untyped error, a hang, unbounded memory, or more steps than the size of an input explains.
Times are only shown, because they depend on the machine.

``MALLOC_PERTURB_=165`` in the environment fills unused memory, which reveals code that reads it (mallopt(3)). It also
makes allocated but unused memory count, so the growth figures are meaningless with it.

Why not atheris: it is guided by the branches of code that was compiled for it. The code at risk here is FFmpeg, which
is a binary in PyAV's wheel without such instrumentation. atheris also stops at the first crash, and does not know
which bytes are lengths.
"""

import argparse
import asyncio
import os
import shlex
import sys
from time import monotonic

from tests.hygiene.fuzz_run import FuzzRun
from tests.hygiene.fuzz_table import heading, table
from tests.hygiene.kinds import KINDS, plan


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m tests.hygiene.fuzz", description=__doc__)
    arguments.add_argument("--count", type=int, default=200_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--first", type=int, default=0)
    arguments.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments.add_argument("--kind", action="append", choices=[*KINDS], default=[])
    options = arguments.parse_args()
    run = FuzzRun(options.count, options.seed, options.jobs, options.kind, options.first)
    began = monotonic()
    report = asyncio.run(run.run())
    command = shlex.join(["python", "-m", "tests.hygiene.fuzz", *(sys.argv[1:] or ("--seed", "1"))])
    lines = (heading(command, options.count, monotonic() - began), table(report, plan(options.kind)))
    sys.stdout.write("\n".join(lines) + "\n")
    sys.exit(not report.harmless)


if __name__ == "__main__":
    main()
