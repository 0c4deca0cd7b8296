"""What tells one request from another that is sent under the same key."""

from collections.abc import AsyncIterable
from dataclasses import dataclass
from hashlib import sha256

from voice_core.audio.limits import Limits
from voice_core.domain.errors import KeyReused
from voice_core.domain.idempotency import RequestName


class Fingerprint:
    """Of one request: of its words at once, and of its recording while that is read, which is done through this.

    It begins with the key, which is kept nowhere: nobody can find out by trying what short words were sent.
    """

    def __init__(
        self, key: str, words: str, upload: AsyncIterable[bytes] | None = None, limits: Limits | None = None
    ) -> None:
        """*words* are all that it asks but the recording, always written the same way; *upload* is the recording."""
        self._hash = sha256(f"{key}\0{words}\0".encode())
        self._upload = None if upload is None else aiter(upload)
        self._limits = limits or Limits()
        self._bytes = 0
        self.words_digest = self._hash.hexdigest()
        """Of all but the recording."""

    def __aiter__(self) -> "Fingerprint":
        return self

    async def __anext__(self) -> bytes:
        """The next of the recording; raises TooLarge, ``audio-too-large``."""
        if self._upload is None:
            raise StopAsyncIteration
        chunk = await anext(self._upload)
        self._bytes += len(chunk)
        self._limits.check_bytes(self._bytes)
        self._hash.update(chunk)
        return chunk

    async def whole(self) -> str:
        """Of all of it; what has not been read of the recording is read now."""
        async for _ in self:
            pass
        return self._hash.hexdigest()


def key_reused() -> KeyReused:
    """The same key, and another request."""
    return KeyReused("Another request was sent under this Idempotency-Key. Send this one under a key of its own.")


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A request for a turn that may be sent again."""

    name: RequestName
    fingerprint: Fingerprint
