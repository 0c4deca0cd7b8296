"""An event loop whose time passes only while it waits, and then at once: deadlines without waiting for them."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Passes the time until the next timer at once. For work without sockets and threads."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Impatient(self))

    def time(self) -> float:
        return self.now


class _Impatient(selectors.DefaultSelector):
    """Does not wait: it moves the clock of *loop*."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "Nothing would ever happen."
        self._loop.now += timeout
        return super().select(0)


def in_virtual_time(work: Coroutine[Any, Any, Result]) -> Result:
    """What *work* gives, on a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)


def block(seconds: float) -> None:
    """Keep the running loop from doing anything for so long."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    loop.now += seconds
