"""Idempotent opening of sessions: a client that retries with the same key gets the same session."""

from collections.abc import Awaitable, Callable

from voice_core import telemetry
from voice_core.domain.errors import Conflict
from voice_core.domain.idempotency import RequestName
from voice_core.usecases.idempotency.fingerprint import IdempotentRequest, key_reused
from voice_core.usecases.session.open_session import OpenSession

OPENING_SECONDS = 1.0
"""The Retry-After of a session that is being opened: an offer is usually answered in this time."""


class Openings:
    """The requests that opened the sessions of this worker that are still open.

    Sessions of other workers are unknown here, and need not be known: a client that did not receive the SDP answer
    cannot connect to such a session, which then ends by itself.
    """

    def __init__(self) -> None:
        self._known: dict[RequestName, tuple[str, OpenSession | None]] = {}
        """Fingerprint and session by request; the session is None while it is being opened."""

    async def open(
        self, request: IdempotentRequest, open_new: Callable[[], Awaitable[OpenSession]]
    ) -> tuple[OpenSession, bool]:
        """The session of *request*, and whether it was open before; also raises as *open_new* does.

        Raises:
            KeyReused: the key was used for another request.
            Conflict: ``idempotency-running``; the session is being opened.
        """
        self._forget_ended()
        name, words_digest = request.name, request.fingerprint.words_digest
        if name in self._known:
            return self._replay(name, words_digest), True
        self._known[name] = (words_digest, None)
        try:
            opened = await open_new()
        except BaseException:
            del self._known[name]
            raise
        self._known[name] = (words_digest, opened)
        return opened, False

    def _replay(self, name: RequestName, words_digest: str) -> OpenSession:
        before, opened = self._known[name]
        if before != words_digest:
            raise key_reused()
        if opened is None:
            detail = "This session is being opened. Send the request again, with the same key, after Retry-After."
            raise Conflict(detail, code="idempotency-running", retry_after=OPENING_SECONDS)
        telemetry.event("replayed", {"session": opened.live.id})
        return opened

    def _forget_ended(self) -> None:
        ended = [name for name, (_, opened) in self._known.items() if opened and opened.live.session.closed]
        for name in ended:
            del self._known[name]
