"""The kernel limits what decoder processes may use, and none outlives its worker."""

import os
import select
import signal
import subprocess
import sys

from fakes.eventually import HANG_SECONDS
from tests.audio.decoder_process.recordings import children_of
from tests.conftest import ROOT
from voice_core.audio.decoder_process.kernel_limits import MEMORY_BYTES

WORKER = """
import asyncio, sys
from voice_core.audio.decoder_process.pool import DecoderPool

async def main():
    pool = DecoderPool(lambda *_: None)
    await pool.warm()
    print(pool.server.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def python(program: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE)  # noqa: S603


def test_memory_is_limited() -> None:
    """A decoder cannot allocate more than its share, whatever is free on the machine."""
    program = f"""
from voice_core.audio.decoder_process import kernel_limits
kernel_limits.limit_server()
bytearray({MEMORY_BYTES} // 2)
try:
    bytearray({MEMORY_BYTES} + (16 << 20))
except MemoryError:
    print("refused")
"""
    assert python(program).communicate()[0] == b"refused\n"


def test_no_process_outlives_the_worker() -> None:
    """When the worker is killed, its server and all decoder processes end."""
    worker = python(WORKER)
    assert worker.stdout is not None
    server = int(worker.stdout.readline())
    processes = [os.pidfd_open(pid) for pid in (server, *children_of(server))]
    worker.send_signal(signal.SIGKILL)
    worker.communicate()
    for process in processes:
        assert select.select([process], [], [], HANG_SECONDS)[0]
        os.close(process)
