"""The turns of a session: control messages and endpointing begin, end and interrupt them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from uuid import uuid4

from voice_core import telemetry
from voice_core.audio.limits import Limits
from voice_core.domain.audio import RECOGNITION_RATE, SAMPLE_BYTES, milliseconds
from voice_core.domain.errors import Conflict, VoiceError
from voice_core.domain.events import Event
from voice_core.domain.session import (
    Cancel,
    Control,
    ControlRefused,
    Press,
    Release,
    SessionEvent,
    State,
    TextInput,
    Update,
)
from voice_core.domain.speech import Hints
from voice_core.ports.media import Peer
from voice_core.usecases.session.hands_free import CountSound, HandsFree
from voice_core.usecases.session.played_turn import PlayedTurn
from voice_core.usecases.session.request import NewSession
from voice_core.usecases.turn.request import TakeTurn, TurnRequest

FINISH_SECONDS = 5.0
"""Time for a turn to be stored when its session ends."""

COUNTED_SECONDS = 30.0
"""How much sound outside utterances is counted at once, in hands-free sessions."""


class SessionTurns:
    """One turn at a time: a new turn interrupts the current one, and waits until that is stored."""

    def __init__(
        self,
        new_session: NewSession,
        peer: Peer,
        *,
        take_turn: TakeTurn,
        audio: Limits,
        count_sound: CountSound,
        send: Callable[[Event | SessionEvent], None],
        enter: Callable[[State], None],
    ) -> None:
        """*send* is called with the turns' events, *enter* with the states into which they bring the session.

        *count_sound* counts hands-free sound that is in no turn.
        """
        self._new_session = new_session
        self._peer = peer
        self._take_turn = take_turn
        self._audio = audio
        self._send = send
        self._enter = enter
        self._options = new_session.options
        self._button_down = False
        """Whether the button is down, even if its turn has ended already."""
        self._turn: PlayedTurn | None = None
        self._unfinished: set[asyncio.Task[None]] = set()
        """The current turn, and interrupted turns that are still being stored."""
        self._splitting: asyncio.Task[None] | None = None
        self._count_sound = count_sound
        self._uncounted = 0
        """Bytes of hands-free sound that are in no turn, and not counted yet."""
        self._counting: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Begin the session's work, once its media is connected.

        It listens hands-free if that was requested, or if there is no data channel; the query becomes the first turn.
        """
        self._go_hands_free(wanted=bool(self._options.hands_free) or not self._peer.writes)
        if self._new_session.query:
            self._begin(State.THINKING, text=self._new_session.query)

    def handle(self, control: Control) -> None:
        """Carry out a control message of the client.

        Raises:
            Conflict: ``hands-free`` or ``not-listening``; nothing has changed.
        """
        match control:
            case Press() if self._splitting is None:
                self._button_down = True
                self._begin(State.LISTENING, utterance=self._peer.listen())
            case Release(trailing_ms) if self._splitting is None:
                self._release(trailing_ms / 1000)
            case Cancel():
                self._interrupt()
            case TextInput(text):
                self._begin(State.THINKING, text=text)
            case Update():
                self._update(control)
            case _:
                detail = "The session is hands-free: it finds utterances by itself."
                raise Conflict(detail, code="hands-free", retryable=False)

    async def finish(self) -> None:
        """Stop listening, and end the turn; it is stored with the words that were played."""
        if self._splitting is not None:
            self._splitting.cancel()
            self._splitting = None
        self._peer.stop_listening()
        self._interrupt()
        self._count()
        if storing := self._unfinished | self._counting:
            await asyncio.wait(storing, timeout=FINISH_SECONDS)

    def _release(self, trailing_seconds: float) -> None:
        was_down, self._button_down = self._button_down, False
        if not was_down:
            raise Conflict("No utterance has begun.", code="not-listening", retryable=False)
        if self._turn is None or not self._turn.listening:
            return  # the turn was refused, too long, or cancelled, and the client has been notified
        self._turn.listening = False
        self._peer.stop_listening(trailing_seconds)
        self._enter(State.THINKING)

    def _update(self, update: Update) -> None:
        options = {name: getattr(update, name) for name in ("voice", "language", "phrases", "hands_free")}
        self._options = replace(self._options, **{name: value for name, value in options.items() if value is not None})
        if update.hands_free is not None:
            self._go_hands_free(wanted=update.hands_free)

    def _go_hands_free(self, *, wanted: bool) -> None:
        if wanted and self._splitting is None:
            hands_free = HandsFree(
                begun=lambda utterance: self._begin(State.LISTENING, utterance=utterance),
                ended=lambda: self._enter(State.THINKING),
                between=self._heard_between,
                # One more second, so that the turn notices that its utterance is too long.
                longest=round((self._audio.max_seconds + 1) * RECOGNITION_RATE) * SAMPLE_BYTES,
            )
            self._splitting = asyncio.create_task(hands_free.split(self._peer.listen()))
        elif not wanted and self._splitting is not None:
            self._splitting.cancel()
            self._splitting = None
            self._peer.stop_listening()

    def _heard_between(self, pcm_bytes: int) -> None:
        self._uncounted += pcm_bytes
        if milliseconds(self._uncounted, RECOGNITION_RATE) >= COUNTED_SECONDS * 1000:
            self._count()

    def _count(self) -> None:
        """Count, in the background, the hands-free sound that is in no turn."""
        heard_ms, self._uncounted = milliseconds(self._uncounted, RECOGNITION_RATE), 0
        if heard_ms > 0:
            counting = asyncio.create_task(self._counted(heard_ms))
            self._counting.add(counting)
            counting.add_done_callback(self._counting.discard)

    async def _counted(self, heard_ms: int) -> None:
        """Count *heard_ms*; stop listening hands-free if the user may send no more sound."""
        try:
            await self._count_sound(self._new_session.user_id, heard_ms)
        except VoiceError as error:
            if self._splitting is not None:
                self._send(ControlRefused(error))
                self._go_hands_free(wanted=False)

    def _begin(self, state: State, *, utterance: AsyncGenerator[bytes] | None = None, text: str = "") -> None:
        before = set(self._unfinished)
        self._interrupt()
        self._enter(state)
        turn = PlayedTurn(
            self._peer, self._send, lambda entered: self._follow(turn, entered), listening=utterance is not None
        )
        self._turn = turn
        limited = None if utterance is None else self._within_limits(utterance)
        running = asyncio.create_task(self._run(turn, before, self._turn_request(limited, text)))
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
        except Exception:  # noqa: BLE001 - the client has been notified that the turn failed; the session continues
            telemetry.unexpected("turn of a session")

    def _follow(self, turn: PlayedTurn, state: State) -> None:
        """Bring the session into *state*, unless a newer turn than *turn* has begun."""
        if turn is not self._turn:
            return
        self._enter(state)
        if state is State.CONNECTED:
            self._turn = None
            self._peer.hush()
            if self._splitting is None:
                self._peer.stop_listening()

    def _interrupt(self) -> None:
        """Stop playing at once, and cancel the turn."""
        if self._unfinished:
            self._peer.hush()
        for turn in self._unfinished:
            if not turn.cancelling():
                turn.cancel()

    def _turn_request(self, utterance: AsyncGenerator[bytes] | None, text: str) -> TurnRequest:
        options = self._options
        return TurnRequest(
            user_id=self._new_session.user_id,
            turn_id=uuid4().hex,
            conversation_id=self._new_session.conversation_id,
            begins=False,
            utterance=utterance,
            text=text,
            hints=Hints((options.language,) if options.language else (), options.phrases or ()),
            voice=options.voice,
        )

    async def _within_limits(self, utterance: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        """*utterance*, as long as it is within the audio limits; raises TooLarge."""
        size = 0
        try:
            async for pcm in utterance:
                size += len(pcm)
                self._audio.check_pcm(size)
                yield pcm
        finally:
            await utterance.aclose()
