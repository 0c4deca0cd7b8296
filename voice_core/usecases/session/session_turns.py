"""The turns of a session: what the client does begins, ends and interrupts them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from uuid import uuid4

from voice_core import telemetry
from voice_core.audio.limits import Limits
from voice_core.domain.errors import Conflict
from voice_core.domain.events import Event
from voice_core.domain.session import Cancel, Control, Press, Release, State, TextInput, Update
from voice_core.domain.speech import Hints
from voice_core.ports.media import Peer
from voice_core.usecases.session.hands_free import split_utterances
from voice_core.usecases.session.played_turn import PlayedTurn
from voice_core.usecases.session.request import NewSession
from voice_core.usecases.turn.request import TakeTurn, TurnRequest

FINISH_SECONDS = 5.0
"""For a turn to be stored when its session ends."""


class SessionTurns:
    """One turn at a time; one that begins interrupts the one before, and waits until it is stored."""

    def __init__(
        self,
        new_session: NewSession,
        peer: Peer,
        *,
        take_turn: TakeTurn,
        audio: Limits,
        tell: Callable[[Event], None],
        enter: Callable[[State], None],
    ) -> None:
        """*tell* hears the turns' events, *enter* where the session is by them."""
        self._asked = new_session
        self._peer = peer
        self._take_turn = take_turn
        self._audio = audio
        self._tell = tell
        self._enter = enter
        self._wishes = new_session.wishes
        self._held = False
        """The button is down, whatever has become of its turn."""
        self._turn: PlayedTurn | None = None
        self._unfinished: set[asyncio.Task[None]] = set()
        """The current turn, and any that are being stored."""
        self._overhearing: asyncio.Task[None] | None = None

    def open(self) -> None:
        """The media is connected."""
        self._go_hands_free(wanted=bool(self._wishes.hands_free) or not self._peer.writes)
        if self._asked.query:
            self._begin(State.THINKING, text=self._asked.query)

    def obey(self, control: Control) -> None:
        """Do what the client asks.

        Raises:
            Conflict: ``hands-free`` or ``not-listening``; nothing has changed.
        """
        match control:
            case Press() if self._overhearing is None:
                self._held = True
                self._begin(State.LISTENING, utterance=self._peer.listen())
            case Release(trailing_ms) if self._overhearing is None:
                self._release(trailing_ms / 1000)
            case Cancel():
                self._interrupt()
            case TextInput(text):
                self._begin(State.THINKING, text=text)
            case Update():
                self._wish(control)
            case _:
                raise Conflict("The session is hands-free: it listens by itself.", code="hands-free", retryable=False)

    async def finish(self) -> None:
        """Listen no more, and end the turn, which keeps what was heard."""
        if self._overhearing is not None:
            self._overhearing.cancel()
        self._peer.stop_listening()
        self._interrupt()
        if self._unfinished:
            await asyncio.wait(self._unfinished, timeout=FINISH_SECONDS)

    def _release(self, trailing_seconds: float) -> None:
        held, self._held = self._held, False
        if not held:
            raise Conflict("No utterance has begun.", code="not-listening", retryable=False)
        if self._turn is None or not self._turn.listening:
            return  # it was refused, too long, or given up, and the client has been told
        self._turn.listening = False
        self._peer.stop_listening(trailing_seconds)
        self._enter(State.THINKING)

    def _wish(self, update: Update) -> None:
        wished = {name: getattr(update, name) for name in ("voice", "language", "phrases", "hands_free")}
        self._wishes = replace(self._wishes, **{name: wish for name, wish in wished.items() if wish is not None})
        if update.hands_free is not None:
            self._go_hands_free(wanted=update.hands_free)

    def _go_hands_free(self, *, wanted: bool) -> None:
        if wanted and self._overhearing is None:
            self._overhearing = asyncio.create_task(
                split_utterances(
                    self._peer.listen(),
                    lambda utterance: self._begin(State.LISTENING, utterance=utterance),
                    lambda: self._enter(State.THINKING),
                )
            )
        elif not wanted and self._overhearing is not None:
            self._overhearing.cancel()
            self._overhearing = None
            self._peer.stop_listening()

    def _begin(self, state: State, *, utterance: AsyncGenerator[bytes] | None = None, text: str = "") -> None:
        before = set(self._unfinished)
        self._interrupt()
        self._enter(state)
        turn = PlayedTurn(
            self._peer, self._tell, lambda entered: self._follow(turn, entered), listening=utterance is not None
        )
        self._turn = turn
        limited = None if utterance is None else self._within_limits(utterance)
        running = asyncio.create_task(self._run(turn, before, self._said(limited, text)))
        self._unfinished.add(running)
        running.add_done_callback(lambda ended: self._ended(turn, ended))

    def _ended(self, turn: PlayedTurn, running: asyncio.Task[None]) -> None:
        self._unfinished.discard(running)
        self._follow(turn, State.CONNECTED)

    async def _run(self, turn: PlayedTurn, before: set[asyncio.Task[None]], request: TurnRequest) -> None:
        telemetry.branch()
        try:
            if before:
                await asyncio.wait(before)
            await turn.run(request, self._take_turn)
        except Exception:  # noqa: BLE001 - the client has been told that the turn broke off; the session goes on
            telemetry.unexpected("turn of a session")

    def _follow(self, turn: PlayedTurn, state: State) -> None:
        """Be where *turn* is, unless another has begun."""
        if turn is not self._turn:
            return
        self._enter(state)
        if state is State.CONNECTED:
            self._turn = None
            self._peer.hush()
            if self._overhearing is None:
                self._peer.stop_listening()

    def _interrupt(self) -> None:
        """Stop what plays, at once, and the turn behind it."""
        if self._unfinished:
            self._peer.hush()
        for turn in self._unfinished:
            if not turn.cancelling():
                turn.cancel()

    def _said(self, utterance: AsyncGenerator[bytes] | None, text: str) -> TurnRequest:
        wishes = self._wishes
        return TurnRequest(
            user_id=self._asked.user_id,
            turn_id=uuid4().hex,
            conversation_id=self._asked.conversation_id,
            begins=False,
            utterance=utterance,
            text=text,
            hints=Hints((wishes.language,) if wishes.language else (), wishes.phrases or ()),
            voice=wishes.voice,
        )

    async def _within_limits(self, utterance: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        """*utterance*, which may not go on for ever; raises TooLarge."""
        heard = 0
        try:
            async for pcm in utterance:
                heard += len(pcm)
                self._audio.check_pcm(heard)
                yield pcm
        finally:
            await utterance.aclose()
