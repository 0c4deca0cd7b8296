"""Processes of engines: warm, shared fairly, bounded, and replaced when they die."""

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from emulators.speech.engines import EngineMissing
from emulators.speech.processes.pool import ProcessPool
from emulators.speech.processes.process import EngineDied
from fakes.eventually import HANG_SECONDS, eventually
from tests.emulators.scripted_engine import ALLOCATE, DIE, DIE_ONCE, ECHO, READ, WRITE, pool

NewPool = Callable[..., ProcessPool]


@pytest.fixture(name="new_pool")
async def _new_pool() -> AsyncIterator[NewPool]:
    """Makes pools, which are closed after the test."""
    async with AsyncExitStack() as stack:

        def make(*most: int, **options: Any) -> ProcessPool:
            made = pool(*most, **options)
            stack.push_async_callback(made.close)
            return made

        yield make


async def test_a_process_stays_for_later_requests(new_pool: NewPool) -> None:
    """One process answers all requests that come one after the other."""
    engine = new_pool(2)
    assert [await engine.call(ECHO, text) for text in (b"one", b"two", b"")] == [b"one", b"two", b""]
    assert len(engine.pids) == 1
    assert engine.name == "scripted engine"


async def test_an_idle_process_that_is_killed_is_replaced(new_pool: NewPool) -> None:
    """A new process is ready before the next request, and that is answered."""
    engine = new_pool()
    await engine.call(ECHO, b"one")
    (killed,) = engine.pids
    os.kill(killed, signal.SIGKILL)
    await eventually(lambda: engine.pids and engine.pids != [killed])
    assert await engine.call(ECHO, b"two") == b"two"


async def test_a_request_survives_its_process(new_pool: NewPool, tmp_path: Path) -> None:
    """When a warm process dies during a request, another one answers it."""
    engine = new_pool()
    await engine.call(ECHO, b"one")
    killed = engine.pids
    file = str(tmp_path / "died").encode()
    assert await engine.call(DIE_ONCE, file) == file
    assert engine.pids != killed


async def test_a_deadly_request_fails_alone(new_pool: NewPool) -> None:
    """A request that kills every process fails, and the next one is answered."""
    engine = new_pool()
    await engine.call(ECHO, b"one")
    with pytest.raises(EngineDied):
        await engine.call(DIE, b"")
    assert await engine.call(ECHO, b"two") == b"two"


async def test_a_process_that_hangs_is_replaced(new_pool: NewPool, tmp_path: Path) -> None:
    """A request without a response in time fails, and the next one is answered by a new process."""
    engine, fifo = new_pool(), tmp_path / "fifo"
    os.mkfifo(fifo)
    await engine.call(ECHO, b"one")
    hanging = engine.pids
    engine.response_seconds = 0.0
    with pytest.raises(EngineDied, match="did not respond"):
        await engine.call(READ, str(fifo).encode())
    engine.response_seconds = HANG_SECONDS
    assert await engine.call(ECHO, b"two") == b"two"
    assert engine.pids != hanging


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux reports the size that is limited")
async def test_memory_is_bounded(new_pool: NewPool) -> None:
    """An engine that takes more memory than it may loses its process; one that takes less does not."""
    engine = new_pool(memory_bytes=200 << 20)
    assert await engine.call(ALLOCATE, b"50000000") == b"50000000"
    served = engine.pids
    with pytest.raises(EngineDied):
        await engine.call(ALLOCATE, b"400000000")
    assert await engine.call(ECHO, b"two") == b"two"
    assert engine.pids != served


async def test_two_requests_are_served_at_once(new_pool: NewPool, tmp_path: Path) -> None:
    """Two processes work at the same time: each waits for the other before it responds."""
    engine, fifo = new_pool(2), tmp_path / "fifo"
    os.mkfifo(fifo)
    path = str(fifo).encode()
    one, other = await asyncio.gather(engine.call(READ, path), engine.call(WRITE, path))
    assert one == other == path
    assert len(engine.pids) == 2


async def test_no_one_waits_for_a_process_to_load_while_another_is_free(new_pool: NewPool, tmp_path: Path) -> None:
    """The second caller gets the first process as soon as that is free, though a second one is still loading."""
    gate, fifo = tmp_path / "gate", tmp_path / "fifo"
    os.mkfifo(gate)
    os.mkfifo(fifo)
    engine = new_pool(2, gate=str(gate))
    await engine.call(ECHO, b"one")
    first = asyncio.create_task(engine.call(READ, str(fifo).encode()))
    second = asyncio.create_task(engine.call(ECHO, b"two"))
    await asyncio.to_thread(lambda: fifo.open("wb").close())
    assert await second == b"two"
    await first
    assert len(engine.pids) == 1


async def test_a_process_starts_before_the_caller_that_needs_it(new_pool: NewPool) -> None:
    """While two callers are expected there are two processes, and never more than the most."""
    engine = new_pool(2)
    await engine.start()
    with engine.expecting():
        assert len(engine.pids) == 1
        with engine.expecting(), engine.expecting():
            await eventually(lambda: len(engine.pids) == 2)
    assert await engine.call(ECHO, b"one") == b"one"
    assert len(engine.pids) == 2


async def test_a_short_request_does_not_wait_for_a_long_recording(new_pool: NewPool) -> None:
    """A single request is served before the remaining ones of a caller that came first with many."""
    engine, order = new_pool(), list[bytes]()

    async def request(*bodies: bytes) -> None:
        for body in bodies:
            order.append(await engine.call(ECHO, body))

    await asyncio.gather(request(b"long 1", b"long 2", b"long 3"), request(b"short"))
    assert order == [b"long 1", b"short", b"long 2", b"long 3"]


async def test_a_cancelled_request_delays_no_other_caller(new_pool: NewPool, tmp_path: Path) -> None:
    """A process that still works on a cancelled request is not given out while another one is free."""
    engine, fifo = new_pool(2), tmp_path / "fifo"
    os.mkfifo(fifo)
    await engine.call(ECHO, b"one")
    abandoned = asyncio.create_task(engine.call(READ, str(fifo).encode()))
    await asyncio.sleep(0)
    assert await engine.call(ECHO, b"two") == b"two"
    abandoned.cancel()
    await asyncio.wait({abandoned})
    assert await engine.call(ECHO, b"three") == b"three"
    await asyncio.to_thread(lambda: fifo.open("wb").close())


async def test_a_process_that_cannot_be_created_is_reported(new_pool: NewPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller gets the reason, and the next one a process."""
    engine = new_pool()
    with monkeypatch.context() as patched:
        patched.setattr("sys.executable", "/no/such/python")
        with pytest.raises(EngineMissing, match="cannot be started"):
            await engine.call(ECHO, b"one")
    assert await engine.call(ECHO, b"two") == b"two"


async def test_a_cancelled_request_leaves_no_response_behind(new_pool: NewPool, tmp_path: Path) -> None:
    """The next caller gets its own response after a request was cancelled halfway."""
    engine, fifo = new_pool(), tmp_path / "fifo"
    os.mkfifo(fifo)
    await engine.call(ECHO, b"one")
    request = asyncio.create_task(engine.call(READ, str(fifo).encode()))
    await asyncio.sleep(0)
    request.cancel()
    await asyncio.wait({request})
    later = asyncio.create_task(engine.call(ECHO, b"two"))
    await asyncio.to_thread(lambda: fifo.open("wb").close())
    assert await later == b"two"


async def test_closing_ends_every_process(new_pool: NewPool, caplog: pytest.LogCaptureFixture) -> None:
    """No process and no task is left, though a process is being replaced."""
    engine = new_pool(2)
    await engine.call(ECHO, b"one")
    os.kill(engine.pids[0], signal.SIGKILL)
    await eventually(lambda: not engine.pids)
    await engine.close()
    await eventually(lambda: asyncio.all_tasks() == {asyncio.current_task()})
    gc.collect()
    assert engine.pids == []
    assert not caplog.records


async def test_a_process_that_dies_while_it_loads_is_no_engine(
    new_pool: NewPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason says so, and the next request tries again."""
    (tmp_path / "deadly.py").write_text("import os; os._exit(1)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    engine = new_pool(package="deadly")
    with pytest.raises(EngineMissing, match="its process ended while it was loaded"):
        await engine.call(ECHO, b"one")
    assert engine.missing
    assert engine.pids == []
    (tmp_path / "deadly.py").write_text("")
    assert await engine.call(ECHO, b"two") == b"two"
    assert not engine.missing
