"""Passes generated inputs to their doors, one after the other, and prints each result as a line of JSON.

    python -m tests.hygiene.fuzz_worker SEED FIRST STEP END [KIND ...]

A crash of native code ends the process: the input after the last printed one caused it.
"""

import asyncio
import faulthandler
import json
import logging
import sys
import traceback
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, field
from time import monotonic, process_time
from typing import Any

from benchmarks.machine import peak_bytes
from tests.conftest import ROOT
from tests.hygiene.doors.resources import Resources, resources
from tests.hygiene.kinds import KINDS, plan
from tests.hygiene.structure.draw import Draw
from voice_core.domain.errors import Busy, VoiceError
from voice_core.functions.http.problems import status

UNTYPED = "untyped"
"""The outcome of an input that caused an error which is none of the product's."""

SERVER_ERROR = 500
LONGEST_ERROR = 1_500


@dataclass(frozen=True, slots=True)
class InputResult:
    """Result of one input."""

    number: int
    kind: str
    outcome: str
    """The door's, the code of a typed error, or `UNTYPED`."""
    seconds: float
    cpu_seconds: float
    steps: int
    """Calls of Python functions, resumed generators and coroutines included, and jumps in them, of which each round of
    a loop has one: a measure of work that is the same on every machine. 0 before Python 3.12, which cannot count them.
    """
    peak_bytes: int
    """Highest memory use of the worker so far."""
    error: str = ""
    """The end of the traceback, if the outcome is `UNTYPED`."""
    decoders: list[str] = field(default_factory=list)
    """The reasons for which decoder processes ended."""


async def results(seed: int, numbers: range, names: Sequence[str]) -> AsyncIterator[InputResult]:
    kinds, steps = plan(names), StepCounter()
    unhandled: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(_described(context)))
    async with resources() as shared:
        await shared.pool.warm()
        for number in numbers:
            kind = kinds[number % len(kinds)]
            began, cpu, before = monotonic(), process_time(), steps.count
            outcome, error = await _outcome(seed, kind, number, shared)
            took, worked, made = monotonic() - began, process_time() - cpu, steps.count - before
            if unhandled:
                outcome, error = UNTYPED, unhandled[0]
            failures = list(shared.decoder_failures)
            yield InputResult(number, kind, outcome, took, worked, made, peak_bytes(), error, failures)
            unhandled.clear()
            shared.decoder_failures.clear()


async def _outcome(seed: int, kind: str, number: int, shared: Resources) -> tuple[str, str]:
    """How input *number* of *kind* ended, and the traceback of an error that is not the product's or is its fault."""
    try:
        return await KINDS[kind].door(Draw(f"{seed}:{kind}:{number}"), shared), ""
    except VoiceError as error:
        temporary = isinstance(error, Busy) and error.retry_after is not None
        if KINDS[kind].from_service or temporary or status(error) < SERVER_ERROR:
            return error.code, ""
        return UNTYPED, f"{status(error)} {error.code}: {error}"
    except Exception:  # noqa: BLE001 - each of these is a finding
        return UNTYPED, _relative(traceback.format_exc())


def _described(context: dict[str, Any]) -> str:
    """An error that no one handled, as the event loop reports it."""
    error = context.get("exception")
    lines = traceback.format_exception(error) if error else []
    return _relative(f"{context.get('message')}\n{''.join(lines)}")


def _relative(text: str) -> str:
    """The end of a traceback, with paths that do not depend on where the checkout is."""
    return text.replace(f"{ROOT}/", "")[-LONGEST_ERROR:]


class StepCounter:
    """Counts calls and jumps of Python functions from its creation on."""

    def __init__(self) -> None:
        self.count = 0
        if sys.version_info >= (3, 12):
            tool, events = sys.monitoring.PROFILER_ID, sys.monitoring.events
            sys.monitoring.use_tool_id(tool, "fuzz")
            for event in (events.PY_START, events.PY_RESUME, events.JUMP):
                sys.monitoring.register_callback(tool, event, self._count)
            sys.monitoring.set_events(tool, events.PY_START | events.PY_RESUME | events.JUMP)

    def _count(self, *_: object) -> None:
        self.count += 1


async def _print_results(seed: int, numbers: range, names: Sequence[str]) -> None:
    async for one in results(seed, numbers, names):
        sys.stdout.write(json.dumps(asdict(one)) + "\n")
        sys.stdout.flush()


def main() -> None:
    faulthandler.enable()
    # The product logs refused input at this level; only the outcome counts here.
    logging.disable(logging.WARNING)
    seed, first, step, end = (int(argument) for argument in sys.argv[1:5])
    asyncio.run(_print_results(seed, range(first, end, step), sys.argv[5:]))


if __name__ == "__main__":
    main()
