"""The fingerprint of a request: distinguishes it from other requests that are sent under the same key."""

from collections.abc import AsyncIterable
from dataclasses import dataclass
from hashlib import sha256

from voice_core.audio.limits import Limits
from voice_core.domain.errors import KeyReused
from voice_core.domain.idempotency import RequestName


class Fingerprint:
    """Hash of one request: of its words at once, and of its recording as it is read by iterating over this object.

    The hash begins with the key, which is not stored anywhere, so that short texts cannot be found by trying them.
    """

    def __init__(
        self, key: str, words: str, upload: AsyncIterable[bytes] | None = None, limits: Limits | None = None
    ) -> None:
        """*words* are all members of the request but the recording, in a canonical form; *upload* is the recording."""
        self._hash = sha256(f"{key}\0{words}\0".encode())
        self._upload = None if upload is None else aiter(upload)
        self._limits = limits or Limits()
        self._bytes = 0
        self.words_digest = self._hash.hexdigest()
        """Hex digest of everything but the recording."""
        self.complete = upload is None
        """Whether the recording has been read to its end."""

    def __aiter__(self) -> "Fingerprint":
        return self

    async def __anext__(self) -> bytes:
        """The next chunk of the recording; raises TooLarge, ``audio-too-large``."""
        if self._upload is None:
            raise StopAsyncIteration
        try:
            chunk = await anext(self._upload)
        except StopAsyncIteration:
            self.complete = True
            raise
        self._bytes += len(chunk)
        self._limits.check_bytes(self._bytes)
        self._hash.update(chunk)
        return chunk

    async def digest(self) -> str:
        """Hex digest of the complete request. Reads the rest of the recording first."""
        async for _ in self:
            pass
        return self._hash.hexdigest()


def key_reused() -> KeyReused:
    """The error for a key under which another request was sent."""
    return KeyReused("Another request was sent under this Idempotency-Key. Send this one under a key of its own.")


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A request that its client may send again under the same key."""

    name: RequestName
    fingerprint: Fingerprint
