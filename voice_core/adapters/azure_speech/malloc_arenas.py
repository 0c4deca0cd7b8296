"""The C heaps that the threads of this process allocate from."""

import ctypes
from contextlib import suppress

HEAPS = 2

_M_ARENA_MAX = -8
"""malloc.h of glibc."""


def share_heaps() -> None:
    """Let all threads share `HEAPS` heaps, where the C library is glibc; elsewhere nothing happens.

    Left alone, glibc makes up to eight a core, and what is free in one is of no use to threads of another. The SDK has
    two threads a connection, which end with it: under load each heap would grow to a peak of its own.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, HEAPS)
