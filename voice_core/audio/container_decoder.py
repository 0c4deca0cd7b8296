"""The port of decoders of containers."""

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from typing import Protocol

from voice_core.audio.limits import Limits

ReadRange = Callable[[int, int], Awaitable[bytes]]
"""Returns a number of bytes of a recording, from an offset on."""

Room = Callable[[], Awaitable[Callable[[], None]]]
"""Reserves memory for an upload that must be held completely, and returns the function that frees it."""


class ContainerDecoder(Protocol):
    """Decodes recordings of one user to mono 16-bit PCM at 16 kHz.

    Both methods raise InvalidAudio, TooLarge and UnsupportedFormat, and Busy when there is no room for another one.
    """

    def upload(self, name: str, chunks: AsyncIterable[bytes], limits: Limits) -> AsyncGenerator[bytes]:
        """The sound of an upload in the container *name*. Errors of *chunks* are passed on."""

    def ranged(
        self, size: int, read: ReadRange, limits: Limits, report_seconds: Callable[[float | None], None]
    ) -> AsyncGenerator[bytes]:
        """The sound of a file of *size* bytes, decoded on demand.

        The length by the file's own index, if it has one, is reported before the first sound.
        """
