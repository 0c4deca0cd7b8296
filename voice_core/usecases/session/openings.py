"""Open a session once: a client that did not hear the answer asks again, and gets the same one."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from voice_core import telemetry
from voice_core.domain.errors import Conflict
from voice_core.domain.idempotency import RequestName
from voice_core.usecases.idempotency.fingerprint import IdempotentRequest, key_reused

if TYPE_CHECKING:
    from voice_core.usecases.session.opened import OpenSession

OPENING_SECONDS = 1.0
"""In which an offer is usually answered."""


class Openings:
    """The requests that opened those sessions of this worker that last.

    A session is nothing without its worker. What another one opened is not known here and need not be: nobody can
    connect to it who has not heard its answer, and it ends by itself.
    """

    def __init__(self) -> None:
        self._known: dict[RequestName, tuple[str, OpenSession | None]] = {}
        """Fingerprint and session by request; None while it is being opened."""

    async def open(
        self, request: IdempotentRequest, opens: Callable[[], Awaitable["OpenSession"]]
    ) -> tuple["OpenSession", bool]:
        """The session, and whether it was open before; also raises as *opens* does.

        Raises:
            KeyReused: it was opened for another request.
            Conflict: ``idempotency-running``; it is being opened.
        """
        self._forget_ended()
        name, words_digest = request.name, request.fingerprint.words_digest
        if name in self._known:
            return self._again(name, words_digest), True
        self._known[name] = (words_digest, None)
        try:
            opened = await opens()
        except BaseException:
            del self._known[name]
            raise
        self._known[name] = (words_digest, opened)
        return opened, False

    def _again(self, name: RequestName, words_digest: str) -> "OpenSession":
        before, opened = self._known[name]
        if before != words_digest:
            raise key_reused()
        if opened is None:
            detail = "This session is being opened already. Ask again, with the same key, when Retry-After says."
            raise Conflict(detail, code="idempotency-running", retry_after=OPENING_SECONDS)
        telemetry.event("replayed", {"session": opened.live.id})
        return opened

    def _forget_ended(self) -> None:
        ended = [name for name, (_, opened) in self._known.items() if opened and opened.live.session.closed]
        for name in ended:
            del self._known[name]
