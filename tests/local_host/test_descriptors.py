"""Without free file descriptors the local host waits, and says so once."""

import asyncio
import errno

import pytest

from local_host.descriptors import ACCEPTING, OutOfDescriptors


async def test_connections_that_cannot_be_accepted_are_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    """asyncio reports each of thousands with a traceback; one line says what to do."""
    loop, report = asyncio.get_running_loop(), OutOfDescriptors()
    error = OSError(errno.EMFILE, "Too many open files")
    for _ in range(2048):
        report(loop, {"message": ACCEPTING, "exception": error})

    (record,) = caplog.records
    assert "ulimit -n" in record.message
    assert record.exc_info is None


async def test_other_errors_of_the_loop_are_reported_as_ever(caplog: pytest.LogCaptureFixture) -> None:
    """Only that one message is held back."""
    loop, report = asyncio.get_running_loop(), OutOfDescriptors()
    report(loop, {"message": "Task exception was never retrieved", "exception": ValueError("odd")})
    report(loop, {"message": "Task exception was never retrieved", "exception": ValueError("odd")})

    assert len(caplog.records) == 2


async def test_asyncio_reports_it_in_these_words() -> None:
    """The message is asyncio's own, in the Python that runs this."""
    loop = asyncio.get_running_loop()
    reported = []
    loop.set_exception_handler(lambda _loop, context: reported.append(context["message"]))
    assert isinstance(loop, asyncio.SelectorEventLoop)

    class FullListener:
        def accept(self) -> None:
            raise OSError(errno.EMFILE, "Too many open files")

        def fileno(self) -> int:
            return 2**30

    loop._accept_connection(asyncio.Protocol, FullListener(), backlog=1)  # type: ignore[attr-defined]
    loop.set_exception_handler(None)
    assert reported == [ACCEPTING]
