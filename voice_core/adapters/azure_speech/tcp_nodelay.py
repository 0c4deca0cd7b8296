"""TCP_NODELAY on the sockets of the Speech SDK, which has no API for them."""

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DESCRIPTORS = Path("/proc/self/fd")
"""Where Linux, on which Functions runs, lists open files. Elsewhere this module has no effect."""


def send_at_once(port: int) -> None:
    """Turn Nagle's algorithm off on this process's TCP connections to *port*.

    The SDK does so for synthesis but not for recognition. There the last piece of an utterance waits until the service
    has acknowledged the previous one, and receivers delay acknowledgements by up to 40 ms. Other connections to that
    port are asyncio's or urllib3's, which turn it off themselves.
    """
    for descriptor in _descriptors():
        with suppress(OSError), _stream_socket(descriptor) as connection:
            if connection is not None and connection.getpeername()[1] == port:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _descriptors() -> list[int]:
    return [int(entry.name) for entry in DESCRIPTORS.iterdir()] if DESCRIPTORS.exists() else []


@contextmanager
def _stream_socket(descriptor: int) -> Iterator[socket.socket | None]:
    """A duplicate of *descriptor* if that is a TCP socket; closing the duplicate leaves the original open."""
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        yield None
        return
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        internet = connection.family in (socket.AF_INET, socket.AF_INET6)
        yield connection if internet and connection.type == socket.SOCK_STREAM else None
