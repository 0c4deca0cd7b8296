"""A turn whose reply is played to the client, while its other events are sent."""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace

from voice_core.domain.conversation import Turn
from voice_core.domain.errors import VoiceError
from voice_core.domain.events import Event, ReplyDelta, SpeechDelta, SpeechDone, TurnCreated, TurnDone, TurnFailed
from voice_core.domain.session import State
from voice_core.ports.media import Peer
from voice_core.usecases.turn.request import TakeTurn, TurnRequest


class PlayedTurn:
    """One turn of a session.

    The turn ends, and is stored, only when its reply has been played: a turn that is cancelled is stored with the
    words that were played. Exactly one of TurnDone and TurnFailed is sent in every case.
    """

    def __init__(
        self, peer: Peer, send: Callable[[Event], None], enter: Callable[[State], None], *, listening: bool = False
    ) -> None:
        """*send* is called with all events but speech, *enter* with SPEAKING when the reply begins to play."""
        self.listening = listening
        """Whether the button of this turn is down."""
        self._peer = peer
        self._send_event = send
        self._enter = enter
        self._unfinished = False
        """TurnCreated has been sent, but no TurnDone or TurnFailed."""
        self._speaking = False

    @property
    def heard_seconds(self) -> float:
        """Seconds of this turn's speech that have been played (`Listener`)."""
        return self._peer.heard_seconds if self._speaking else 0.0

    def interrupted(self, turn: Turn) -> None:
        """Send the end of the interrupted *turn* (`Listener`)."""
        self._send(TurnDone(turn))

    async def run(self, request: TurnRequest, take_turn: TakeTurn) -> None:
        """Take the turn to its end; cancelling this interrupts it."""
        try:
            async with aclosing(take_turn(replace(request, delivery="played", listener=self))) as events:
                async for event in events:
                    await self._follow(event)
        finally:
            if self._unfinished:
                detail = "The turn stopped without a result. Start it again."
                self._send(TurnFailed(VoiceError(detail, code="turn-broken-off", retryable=True)))

    async def _follow(self, event: Event) -> None:
        match event:
            case SpeechDelta(pcm):
                self._play(pcm)
            case SpeechDone() | TurnFailed():
                await self._peer.played()
                self._send(event)
            case _:
                self._send(event)

    def _play(self, pcm: bytes) -> None:
        self._peer.play(pcm)
        if not self._speaking:
            self._speaking = True
            self._enter(State.SPEAKING)

    def _send(self, event: Event) -> None:
        match event:
            case TurnCreated():
                self._unfinished = True
            case ReplyDelta() if not self._speaking:
                self._peer.wake()
            case TurnDone() | TurnFailed():
                self._unfinished = False
            case _:
                pass
        self._send_event(event)
