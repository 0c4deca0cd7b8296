"""Installs the packages of the neural engines, while the product runs: ``installation REQUIREMENTS DONE``."""

import asyncio
import re
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from importlib import metadata
from pathlib import Path

from emulators.child_process import stop

PIP = (
    *("-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"),
    *("--retries", "1", "--only-binary", ":all:", "--require-hashes", "--requirement"),
)
DOWNLOAD = re.compile(r"\s*(?:Downloading|Using cached) ([^/\s]+?)-\d\S*\.whl \((.+ MB)\)")
"""Pip's line about a package of at least 1 MB."""
REQUIREMENT = re.compile(r"^([\w.-]+)==\S+( ;)?", re.MULTILINE)
"""A package of the requirements, and whether it is for some systems only."""


class Installation:
    """The installation of *requirements* into this Python's environment; *done* is touched after it."""

    def __init__(self, requirements: Path, done: Path) -> None:
        self._requirements = requirements
        self._done = done

    def needed(self) -> bool:
        """Whether it has not been done since the requirements were last changed, or packages were removed after it."""
        if not self._done.exists() or self._done.stat().st_mtime < self._requirements.stat().st_mtime:
            return True
        everywhere = [name for name, marker in REQUIREMENT.findall(self._requirements.read_text()) if not marker]
        return not all(map(_installed, everywhere))

    async def run(self, say: Callable[[str], object]) -> bool:
        """Install them at a low priority, and report the progress to *say*, or why it failed: False.

        When cancelled, it stops pip; the next run begins again.
        """
        try:
            reason = await self._install(say)
        except OSError as error:
            reason = str(error)
        if reason:
            say(f"The neural engines were not installed: {reason}. The next start tries again, unless ENGINES=light.")
        return not reason

    async def _install(self, say: Callable[[str], object]) -> str:
        """Why it failed; empty if it did not."""
        text = await asyncio.to_thread(self._requirements.read_text)
        say(f"Installing the neural engines, {len(REQUIREMENT.findall(text))} packages, in the background ...")
        niced = ("nice",) if shutil.which("nice") else ()
        pip = await asyncio.create_subprocess_exec(
            *niced, sys.executable, *PIP, str(self._requirements), start_new_session=True,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            reason = await _progress(_lines(pip), say)
            status = await pip.wait()
        finally:
            await stop(pip)
        if status:
            return reason or f"pip ended with {status}"
        self._done.touch()
        return ""


def _installed(package: str) -> bool:
    try:
        metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return False
    return True


async def _lines(process: asyncio.subprocess.Process) -> AsyncIterator[str]:
    while process.stdout and (line := await process.stdout.readline()):
        yield line.decode(errors="replace").rstrip()


async def _progress(lines: AsyncIterator[str], say: Callable[[str], object]) -> str:
    """Report what pip downloads; returns the first error, or the last line if none is marked as one."""
    reason = line = ""
    async for line in lines:
        if "Retrying (" in line:
            reason = "the package index cannot be reached"
        elif found := DOWNLOAD.match(line):
            say(f"Neural engines: {found[1]}, {found[2]}")
        elif line.startswith("Installing collected packages"):
            say("Neural engines: unpacking")
        elif line.startswith("ERROR: "):
            reason = reason or line.removeprefix("ERROR: ").rstrip(".")
    return reason or line


def main() -> None:
    requirements, done = map(Path, sys.argv[1:])
    if not asyncio.run(Installation(requirements, done).run(lambda line: sys.stdout.write(f"{line}\n"))):
        sys.exit(1)


if __name__ == "__main__":
    main()
