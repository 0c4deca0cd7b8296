"""The emulators' command states which engines serve."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from emulators.child_process import stop
from tests.conftest import ROOT


async def start(folder: Path, engines: str) -> Process:
    """The command, with the Speech emulator alone on a free port."""
    arguments = ("-m", "emulators", "--only", "speech", "--port", "speech=0", "--data", str(folder))
    environment = os.environ | {"ENGINES": engines}
    return await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, env=environment, stdout=PIPE, stderr=PIPE
    )


async def test_the_output_states_the_engines(tmp_path: Path) -> None:
    """After the addresses comes a line about the engines, and a signal ends the command."""
    process = await start(tmp_path, "light")
    assert process.stdout is not None
    lines = [(await process.stdout.readline()).decode() for _ in range(3)]
    await stop(process)
    assert lines[0].startswith("speech   http://127.0.0.1:")
    assert lines[2].startswith("Engines: PocketSphinx recognises, ")
    assert process.returncode == 0


async def test_an_unknown_choice_ends_the_command(tmp_path: Path) -> None:
    """The message names the setting and its values."""
    process = await start(tmp_path, "best")
    _, errors = await process.communicate()
    assert errors.decode().strip() == "ENGINES knows light, neural and auto, not best"
    assert process.returncode == 1
