"""Limits and times of the Functions host's front."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The host's values; tests take smaller ones.

    Kestrel's defaults, and those of ``Program.cs`` and ``RetryProxyHandler.cs``
    (https://github.com/Azure/azure-functions-host).
    """

    body_bytes: int = 104_857_600
    """Largest body of a request; 413 beyond it."""
    line_bytes: int = 8_192
    """Longest first line of a request, with method and URL; 414 beyond it."""
    header_bytes: int = 32_768
    """Largest header section; 431 beyond it."""
    step_bytes: int = 4_096
    """Bytes that are collected before they are passed on to the worker."""
    slowest: float = 240.0
    """Lowest average rate of a body, in bytes per second; 408 below it."""
    grace_seconds: float = 5.0
    """Time before the rate counts."""
    attempts: int = 10
    """How often a request is delivered to the worker, as long as the connection fails."""
    orderly_attempts: int = 4
    """How often each of these is repeated at once, when the worker closed the connection in an orderly way."""
    first_pause_seconds: float = 0.05
    """Pause after the first attempt; each further one is twice as long."""
    longest_pause_seconds: float = 0.25
    linger_seconds: float = 5.0
    """Longest time in which the rest of a refused body is read, so that the client can receive the response."""
