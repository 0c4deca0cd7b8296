"""The journal of the turn that a worker is taking, written under its lease."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from voice_core import telemetry
from voice_core.domain.errors import StageFailed
from voice_core.domain.journal import Journal, Round
from voice_core.domain.speech import Transcript
from voice_core.usecases.idempotency.request_lease import RequestLease


class LeasedJournal:
    """The journal of one turn. A turn whose journal cannot be written goes on, but no other worker can continue it."""

    def __init__(self, lease: RequestLease, digest: Callable[[], Awaitable[str]]) -> None:
        """*digest* returns the fingerprint of the complete request."""
        self._lease = lease
        self._digest = digest
        self._journal = lease.journal
        self._writing: asyncio.Task[None] | None = None

    @property
    def found(self) -> Journal:
        """The results of the turn so far."""
        return self._journal

    def add_transcript(self, transcript: Transcript) -> None:
        """Begin to store the final transcript; the turn need not wait."""
        self._journal = replace(self._journal, transcript=replace(transcript, phrases=()))
        self._writing = asyncio.create_task(self._write())

    async def add_round(self, text: str) -> None:
        """Store a complete response of the model.

        Raises:
            Conflict: ``idempotency-running``; another worker has taken the lease over.
        """
        await self._written()
        self._journal = replace(self._journal, rounds=(*self._journal.rounds, Round(text)))
        await self._write()

    async def confirm(self) -> str:
        """Return the fingerprint of the complete request, if the turn may be stored.

        Raises:
            Conflict: as `add_round`.
        """
        await self._written()
        await self._lease.confirm()
        return self._journal.fingerprint or await self._digest()

    async def aclose(self) -> None:
        """Wait for the write in progress: the lease is released as the version that it stores."""
        if self._writing is not None:
            await asyncio.gather(self._writing, return_exceptions=True)

    async def _written(self) -> None:
        if self._writing is not None:
            writing, self._writing = self._writing, None
            await writing

    async def _write(self) -> None:
        if not self._journal.fingerprint:
            self._journal = replace(self._journal, fingerprint=await self._digest())
        try:
            await self._lease.write(self._journal)
        except StageFailed as error:
            telemetry.event("journal-failed", telemetry.reason(error))
