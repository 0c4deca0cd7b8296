"""Reports that the local host has no file descriptors left."""

import asyncio
import logging
from collections.abc import Mapping
from time import monotonic
from typing import Any

PAUSE_SECONDS = 10.0
"""Between two reports. asyncio reports each connection that it cannot accept, thousands in a second, with a traceback:
its loop over waiting connections goes on after that error (`BaseSelectorEventLoop._accept_connection`)."""

ACCEPTING = "socket.accept() out of system resource"
"""asyncio's message about such a connection."""

logger = logging.getLogger("host")


class OutOfDescriptors:
    """A loop's exception handler that reports connections which cannot be accepted once in `PAUSE_SECONDS`."""

    def __init__(self) -> None:
        self._reported = -PAUSE_SECONDS

    def __call__(self, loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        if context.get("message") != ACCEPTING:
            loop.default_exception_handler(dict(context))
        elif monotonic() - self._reported >= PAUSE_SECONDS:
            self._reported = monotonic()
            logger.error("No file descriptor is left for more connections (%s). Raise ulimit -n.", context["exception"])
