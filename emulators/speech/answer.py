"""What one turn sends, as its step has it, and how it ends."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from emulators.script import Script, Served, Step
from emulators.speech.channel import BAD_REQUEST, SERVER_ERROR, TOO_MANY_REQUESTS, Channel, ClientGone
from emulators.speech.refusals import Refused

CLOSE_CODES = {400: BAD_REQUEST, 429: TOO_MANY_REQUESTS}
"""For a scripted status on a connection that is open; every other one is a failing service."""

log = logging.getLogger(__name__)


class TurnEnded(Exception):
    """The script cut the turn short; the log says how."""


class Answer:
    """What one turn sends."""

    def __init__(self, channel: Channel, request_id: str, step: Step, served: Served) -> None:
        self.step = step
        self.facts = served.facts
        self._channel = channel
        self._request_id = request_id
        self._served = served
        self._results = 0

    async def begin(self) -> None:
        """Send ``turn.start``, unless the step refuses the turn or leaves it hanging.

        Raises:
            TurnEnded: it was refused.
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
        """Send something the script counts.

        Raises:
            TurnEnded: that was one too many for the step.
        """
        self._count()
        await self.send(path, document)

    async def send_audio(self, pcm: bytes) -> None:
        """Likewise for a chunk of speech."""
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
async def answering(channel: Channel, request_id: str, script: Script, operation: str) -> AsyncGenerator[Answer]:
    """Answer one turn by the script's next step, and log how it ended.

    What cannot be served, or fails, closes the socket with the reason; only being cancelled goes on to the caller.
    """
    with script.serving(operation) as served:
        served.trace = f"{channel.connection_id} {request_id}"
        try:
            yield Answer(channel, request_id, script.next(operation), served)
        except TurnEnded:
            pass
        except ClientGone:
            served.outcome = "cancelled"
        except Refused as reason:
            served.outcome = "status-400"
            channel.end(BAD_REQUEST, str(reason))
        except Exception:
            served.outcome = "status-500"
            log.exception("A turn failed.")
            channel.end(SERVER_ERROR, "the emulator failed; its log says why")
