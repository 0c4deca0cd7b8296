"""The arenas from which malloc of glibc serves the threads of this process."""

import ctypes
from contextlib import suppress

ARENAS = 2

LARGE_BYTES = 1_048_576
"""From this size on a block is returned to the system when it is freed."""

_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3
"""malloc.h of glibc."""


def limit_arenas() -> None:
    """Let all threads share `ARENAS` arenas if the C library is glibc; elsewhere nothing happens.

    By default glibc creates up to eight arenas per core, and memory that is free in one cannot be used by threads of
    another. The SDK has two threads per connection, which end with it. Under load each arena would grow to a peak of
    its own. By default glibc also raises the size from which blocks are returned to that of the largest freed so far,
    and keeps twice as much: recordings of megabytes would stay in the process.
    """
    with suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_ARENA_MAX, ARENAS)
        mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
