"""The local host stops the processes that it has started, at whatever moment it is stopped itself."""

import contextlib
import os
import select
from pathlib import Path

from fakes.eventually import HANG_SECONDS, eventually
from tests.hygiene.server_process import UNLIMITED, launched, link_checkout


async def test_no_process_is_left_when_it_is_stopped_while_it_starts(tmp_path: Path) -> None:
    """SIGTERM before the product is ready ends the function app too."""
    link_checkout(tmp_path)
    process, _, _ = await launched(str(tmp_path), UNLIMITED)
    running = -1
    try:
        await eventually(lambda: _function_app(process.pid) is not None)
        function_app = _function_app(process.pid)
        assert function_app is not None
        running = os.pidfd_open(function_app)
    finally:
        process.terminate()
        await process.wait()
    assert select.select([running], [], [], HANG_SECONDS)[0]
    os.close(running)


def _function_app(pid: int) -> int | None:
    """The process id of the function app that the local host *pid* has started."""
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in file.read_text().split():
            # Others are short-lived, such as the one that looks for Node.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if b"local_host.functions" in Path(f"/proc/{child}/cmdline").read_bytes():
                    return int(child)
    return None
