"""The turns of one socket: one at a time, each in its own task."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any

from emulators.script import Script
from emulators.speech.channel import Channel
from emulators.speech.engines import Recognizer, Synthesizer
from emulators.speech.messages import Message
from emulators.speech.recognition import RecognitionTurn
from emulators.speech.requests import RecognitionRequest
from emulators.speech.synthesis import SynthesisTurn


class Turns(ABC):
    """At most one running turn."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def receive(self, message: Message) -> None:
        """Handle the next message of the client.

        Raises:
            RequestRefused: the message violates the protocol.
        """

    async def start(self, turn: Coroutine[Any, Any, None]) -> None:
        await self.stop()
        self._task = asyncio.create_task(turn)

    async def stop(self) -> None:
        """Cancel the running turn; the log has it as cancelled."""
        if self._task is None:
            return
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None


class Recognitions(Turns):
    """A socket for speech to text."""

    def __init__(
        self, channel: Channel, script: Script, recognizer: Recognizer, path: str, query: Mapping[str, str]
    ) -> None:
        super().__init__()
        self._channel = channel
        self._script = script
        self._recognizer = recognizer
        self._path = path
        self._query = query
        self._context: dict[str, Any] = {}
        self._turn: RecognitionTurn | None = None

    async def receive(self, message: Message) -> None:
        if message.path == "speech.context":
            self._context = message.json()
        if message.path == "audio":
            await self._receive_audio(message)

    async def _receive_audio(self, message: Message) -> None:
        # Audio of the last turn may still arrive after that turn has ended, as it does after one phrase in INTERACTIVE.
        if self._turn is None or message.request_id != self._turn.request_id:
            request = RecognitionRequest.read(self._context, self._query, self._path)
            self._turn = RecognitionTurn(message.request_id, request, self._channel, self._script, self._recognizer)
            await self.start(self._turn.run())
        self._turn.audio.put_nowait(message.body)


class Syntheses(Turns):
    """A socket for text to speech."""

    def __init__(self, channel: Channel, script: Script, synthesizer: Synthesizer) -> None:
        super().__init__()
        self._channel = channel
        self._script = script
        self._synthesizer = synthesizer
        self._context: dict[str, Any] = {}

    async def receive(self, message: Message) -> None:
        if message.path == "synthesis.context":
            self._context = message.json()
        if message.path == "ssml":
            ssml = message.body.decode("utf-8", "replace")
            turn = SynthesisTurn(
                message.request_id, self._context, ssml, self._channel, self._script, self._synthesizer
            )
            await self.start(turn.run())
