"""The arenas from which malloc of glibc serves the threads of this process."""

import ctypes
from contextlib import suppress

ARENAS = 2

_M_ARENA_MAX = -8
"""malloc.h of glibc."""


def limit_arenas() -> None:
    """Let all threads share `ARENAS` arenas if the C library is glibc; elsewhere nothing happens.

    By default glibc creates up to eight arenas per core, and memory that is free in one cannot be used by threads of
    another. The SDK has two threads per connection, which end with it. Under load each arena would grow to a peak of
    its own.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)
