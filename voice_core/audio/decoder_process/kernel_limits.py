"""Limits of decoder processes, which the kernel enforces: memory, CPU time, files."""

import contextlib
import math
import os
import resource
from pathlib import Path

MEMORY_BYTES = 128 << 20
"""Address space that a recording may take beyond that of the loaded libraries.

The largest upload (10 MB) takes 40 MB, and a million entries of an index 48 MB.
"""

START_CPU_SECONDS = 2.0
"""CPU time until the first sound. An hour of AAC in an MP4 is opened within 0.3 s."""

CPU_SHARE = 0.1
"""CPU seconds for each second of decoded sound: 20 to 50 times what honest recordings take."""

NICENESS = 10
"""Turns of other users go first."""

_FILES = 16


def limit_server() -> None:
    """Limit this process and the processes that it will fork. Call it once the libraries are loaded."""
    os.nice(NICENESS)
    # If memory runs out nevertheless, Linux ends these processes first.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NOFILE, _FILES)
    if loaded_bytes := _address_space_bytes():
        _limit(resource.RLIMIT_AS, loaded_bytes + MEMORY_BYTES)


def allow_cpu(decoded_seconds: float) -> float:
    """Let this process use as much CPU time as *decoded_seconds* of sound justify; then SIGXCPU ends it.

    Returns:
        The decoded seconds at which to call it again.
    """
    allowed = math.ceil(START_CPU_SECONDS + CPU_SHARE * decoded_seconds)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = allowed if hard == resource.RLIM_INFINITY else min(allowed, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
    return (allowed + 1 - START_CPU_SECONDS) / CPU_SHARE


def _limit(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    # macOS rejects some limits.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (most, most))


def _address_space_bytes() -> int | None:
    """Mapped memory of this process; None where the system does not report it."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (OSError, ValueError):
        return None
    return pages * resource.getpagesize()
