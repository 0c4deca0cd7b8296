"""An event loop with virtual time: a wait advances its clock and ends at once, so tests of deadlines need not wait."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Skips the time until the next timer. For code without sockets and threads."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_NonBlockingSelector(self))

    def time(self) -> float:
        return self.now


class _NonBlockingSelector(selectors.DefaultSelector):
    """Advances the clock of *loop* by the timeout instead of waiting."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "Nothing would ever happen."
        self._loop.now += timeout
        return super().select(0)


def in_virtual_time(work: Coroutine[Any, Any, Result]) -> Result:
    """Run *work* on a new `VirtualTimeLoop`, and return its result."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)


def block(seconds: float) -> None:
    """Advance the running loop's clock by *seconds*, as blocking code would."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    loop.now += seconds
