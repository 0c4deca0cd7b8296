"""The messages that one turn sends, controlled by its step, and the turn's outcome in the log."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from emulators.script import Script, ServedRequest, Step
from emulators.speech.channel import BAD_REQUEST, SERVER_ERROR, TOO_MANY_REQUESTS, Channel, ClientGone
from emulators.speech.refusals import RequestRefused

CLOSE_CODES = {400: BAD_REQUEST, 429: TOO_MANY_REQUESTS}
"""Close codes for a scripted status on an open connection; any other status is sent as a failing service."""

log = logging.getLogger(__name__)


class TurnEnded(Exception):
    """The script ended the turn early; the log has the outcome."""


class TurnOutput:
    """The output of one turn."""

    def __init__(self, channel: Channel, request_id: str, step: Step, served: ServedRequest) -> None:
        self.step = step
        self.facts = served.facts
        self._channel = channel
        self._request_id = request_id
        self._served = served
        self._results = 0

    async def begin(self) -> None:
        """Send ``turn.start``, unless the step refuses the turn or leaves it hanging.

        Raises:
            TurnEnded: the step refused the turn.
        """
        if self.step.status is not None:
            self._served.outcome = f"status-{self.step.status}"
            code = CLOSE_CODES.get(self.step.status, SERVER_ERROR)
            self._channel.end(code, self.step.body or f"status {self.step.status}")
            raise TurnEnded
        if self.step.hang:
            self._served.outcome = "hung"
            await asyncio.Event().wait()
        await self.send("turn.start", {"context": {"serviceTag": self._request_id}})

    async def send(self, path: str, document: Mapping[str, Any] | str) -> None:
        await self._channel.send(path, self._request_id, document)

    async def send_result(self, path: str, document: Mapping[str, Any] | str) -> None:
        """Send a result, which counts for ``drop_after``.

        Raises:
            TurnEnded: the step's number of results had been sent before.
        """
        self._count()
        await self.send(path, document)

    async def send_audio(self, pcm: bytes) -> None:
        """Send a chunk of speech, which counts for ``drop_after``.

        Raises:
            TurnEnded: the step's number of results had been sent before.
        """
        self._count()
        await self._channel.send_audio(self._request_id, pcm)

    async def end(self) -> None:
        await self.send("turn.end", {})

    def _count(self) -> None:
        if self._results == self.step.drop_after:
            self._served.outcome = "dropped"
            self._channel.cut()
            raise TurnEnded
        self._results += 1


@asynccontextmanager
async def turn_output(channel: Channel, request_id: str, script: Script, operation: str) -> AsyncGenerator[TurnOutput]:
    """Serve one turn by the script's next step, and log its outcome.

    A turn that is refused or fails closes the socket with the reason. Of all exceptions, only cancellation reaches the
    caller.
    """
    with script.serving(operation) as served:
        served.trace = f"{channel.connection_id} {request_id}"
        try:
            yield TurnOutput(channel, request_id, script.next(operation), served)
        except TurnEnded:
            pass
        except ClientGone:
            served.outcome = "cancelled"
        except RequestRefused as reason:
            served.outcome = "status-400"
            channel.end(BAD_REQUEST, str(reason))
        except Exception:
            served.outcome = "status-500"
            log.exception("A turn failed.")
            channel.end(SERVER_ERROR, "the emulator failed; its log says why")
