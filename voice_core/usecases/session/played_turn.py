"""A turn whose reply is played to the client while the rest of it is told."""

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

    It is not over, and so not stored, before its reply has been played: a turn that is cancelled keeps the words that
    were heard. Whatever happens, exactly one of TurnDone and TurnFailed is told.
    """

    def __init__(
        self, peer: Peer, tell: Callable[[Event], None], enter: Callable[[State], None], *, listening: bool = False
    ) -> None:
        """*tell* hears all events but speech, *enter* that the reply begins to be heard."""
        self.listening = listening
        """The button of this turn is down."""
        self._peer = peer
        self._tell_all = tell
        self._enter = enter
        self._owes_an_end = False
        self._speaking = False

    @property
    def heard_seconds(self) -> float:
        """As Listener."""
        return self._peer.heard_seconds if self._speaking else 0.0

    def left(self, turn: Turn) -> None:
        """As Listener."""
        self._tell(TurnDone(turn))

    async def run(self, request: TurnRequest, take_turn: TakeTurn) -> None:
        """Take the turn to its end; cancelling this interrupts it."""
        try:
            async with aclosing(take_turn(replace(request, delivery="played", listener=self))) as events:
                async for event in events:
                    await self._follow(event)
        finally:
            if self._owes_an_end:
                self._tell(TurnFailed(VoiceError("This turn broke off.", code="turn-broken-off", retryable=True)))

    async def _follow(self, event: Event) -> None:
        match event:
            case SpeechDelta(pcm):
                self._play(pcm)
            case SpeechDone() | TurnFailed():
                await self._peer.played()
                self._tell(event)
            case _:
                self._tell(event)

    def _play(self, pcm: bytes) -> None:
        self._peer.play(pcm)
        if not self._speaking:
            self._speaking = True
            self._enter(State.SPEAKING)

    def _tell(self, event: Event) -> None:
        match event:
            case TurnCreated():
                self._owes_an_end = True
            case ReplyDelta() if not self._speaking:
                self._peer.wake()
            case TurnDone() | TurnFailed():
                self._owes_an_end = False
            case _:
                pass
        self._tell_all(event)
