"""Turns that are requested repeatedly, with every port in plain Python: workers that die, freeze and meet."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Sequence
from contextlib import aclosing, suppress
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from fakes.memory_clip_stores import MemorySpeeches, WorkerDeath
from fakes.scripted_ports import ScriptedAssistant, ScriptedConversations, ScriptedStt, ScriptedTts
from fakes.sound import voice_like
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import Conflict, NotFound, VoiceError
from voice_core.domain.events import Event, TurnDone, TurnFailed
from voice_core.domain.idempotency import RequestClaim, RequestName
from voice_core.domain.position import Position
from voice_core.domain.speech import SpeechName
from voice_core.usecases.idempotency.fingerprint import Fingerprint, IdempotentRequest
from voice_core.usecases.idempotency.idempotent_turn import IdempotentTurns, TurnHandlers
from voice_core.usecases.idempotency.replay import replay, replay_without_audio
from voice_core.usecases.idempotency.request_lease import LeaseRules
from voice_core.usecases.idempotency.turn_run import RunningRequest, TurnRun, TurnRuns
from voice_core.usecases.speech_file.save_speech import without_audio
from voice_core.usecases.turn.request import TurnRequest
from voice_core.usecases.turn.services import TurnServices
from voice_core.usecases.turn.take_turn import take_turn

SPOKEN = voice_like(0.2)
FIRST = datetime(2026, 1, 2, 12, tzinfo=UTC)
NAME = RequestName("ann", "r1")
RULES = LeaseRules(seconds=60.0)
STREAMS = ("transcribe", "reply", "synthesize")


@dataclass
class MemoryRequests:
    claims: dict[RequestName, RequestClaim] = field(default_factory=dict)
    versions: Any = field(default_factory=lambda: count(1))
    failure: Exception | None = None
    calls: Counter[str] = field(default_factory=Counter)

    async def add(self, request: RequestClaim) -> RequestClaim:
        self._count("add")
        if request.name in self.claims:
            raise Conflict("There is a request of this name.")
        return self._keep(request)

    async def get(self, name: RequestName) -> RequestClaim:
        self._count("get")
        if name not in self.claims:
            raise NotFound("There is no such request.", code="request-not-found")
        return self.claims[name]

    async def replace(self, request: RequestClaim) -> RequestClaim:
        self._count("replace")
        if request.name not in self.claims or self.claims[request.name].etag != request.etag:
            raise Conflict("Another worker is processing this request.")
        return self._keep(request)

    async def delete(self, request: RequestClaim) -> None:
        self._count("delete")
        if request.name in self.claims and self.claims[request.name].etag == request.etag:
            del self.claims[request.name]

    async def delete_of_conversation(self, user_id: str, conversation_id: str) -> None:
        self._count("delete_of_conversation")
        for name, claim in list(self.claims.items()):
            if name.user_id == user_id and claim.journal and claim.journal.conversation_id == conversation_id:
                del self.claims[name]

    def age(self, seconds: float) -> None:
        """Move the expiry of all claims *seconds* towards the past."""
        for name, request in self.claims.items():
            self.claims[name] = request.changed(until=request.until - timedelta(seconds=seconds))

    def _keep(self, request: RequestClaim) -> RequestClaim:
        self.claims[request.name] = request.changed(etag=str(next(self.versions)))
        return self.claims[request.name]

    def _count(self, operation: str) -> None:
        self.calls[operation] += 1
        if self.failure:
            raise self.failure


class NewAssistant(ScriptedAssistant):
    """An assistant that never gives the same reply twice."""

    async def reply(self, text: str, history: Sequence[Turn]) -> AsyncGenerator[str]:
        self.reply_text = f"This is reply {len(self.requests) + 1}. It has three sentences. No other is like it."
        async for piece in super().reply(text, history):
            yield piece


class Life:
    """The life of one worker: it counts the steps of all its tasks, and ends at step *dies_at*.

    Nothing takes effect after that. A step is the part of a task from one await to the next. *at* is called with the
    number of each step, before it.
    """

    def __init__(self, dies_at: int | None = None, at: Callable[[int], None] = lambda _: None) -> None:
        self.steps = 0
        self.dead = False
        self._dies_at = dies_at
        self._at = at
        self.runs = Runs(self)
        self._worker: asyncio.Task[Any] | None = None

    async def live(self, work: Coroutine[Any, Any, Any]) -> Any:
        """The result of *work*; None when the worker died during it."""
        mine = copy_context()
        mine.run(LIFE.set, self)
        asyncio.get_running_loop().set_task_factory(_counted)
        self._worker = asyncio.create_task(work, context=mine)
        with suppress(asyncio.CancelledError, WorkerDeath):
            return await self._worker
        return None

    def step(self) -> None:
        self.steps += 1
        self._at(self.steps)
        if self.steps == self._dies_at:
            self.die()

    def die(self) -> None:
        self.dead = True
        if self._worker is not None:
            self._worker.cancel()
        self.runs.cancel()

    def wrapped(self, port: Any) -> Any:
        return WrappedPort(port, self)

    async def called(self, _name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        """Do *work* at a port, with a pause before and after it, as with a real service."""
        await asyncio.sleep(0)
        if self.dead:
            raise WorkerDeath
        result = await work()
        await asyncio.sleep(0)
        return result


class Runs(TurnRuns):
    """The turns that run in the worker of a *life*. None runs in a dead one."""

    def __init__(self, life: Life) -> None:
        super().__init__()
        self._life = life

    def start(self, user_id: str, turn_id: str, events: AsyncGenerator[Event], request: RunningRequest) -> TurnRun:
        run = super().start(user_id, turn_id, events, request)
        if self._life.dead:
            run.task.cancel()
        return run


LIFE: ContextVar[Life | None] = ContextVar("LIFE", default=None)
"""The life of the worker to which the current task belongs."""


def _counted(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> "asyncio.Task[Any]":
    life = options["context"].get(LIFE) if options.get("context") else LIFE.get()
    return asyncio.Task(work if life is None else Steps(work, life), loop=loop, **options)


class Steps(Coroutine[Any, Any, Any]):
    """The coroutine *work*, each step of which is counted."""

    def __init__(self, work: Coroutine[Any, Any, Any], life: Life) -> None:
        self._work = work
        self._life = life

    def send(self, value: Any) -> Any:
        self._life.step()
        return self._work.send(value)

    def throw(self, *error: Any) -> Any:
        return self._work.throw(*error)

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._work.__await__()


class Frozen(Life):
    """A worker that stops at call *freezes_at*, *after* it has taken effect or before, and continues when thawed."""

    def __init__(self, freezes_at: int, *, after: bool) -> None:
        super().__init__()
        self.calls = 0
        self.name = ""
        self.frozen, self.thawed = asyncio.Event(), asyncio.Event()
        self._freezes_at = freezes_at
        self._after = after

    async def called(self, name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        if self.frozen.is_set():
            await self.thawed.wait()
        self.calls += 1
        now = self.calls == self._freezes_at
        if now and not self._after:
            await self._freeze(name)
        try:
            return await work()
        finally:
            if now and self._after:
                await self._freeze(name)

    async def frozen_or(self, done: asyncio.Task[Any]) -> None:
        """Wait until the worker freezes, or its task is *done* without that."""
        freezing = asyncio.create_task(self.frozen.wait())
        await asyncio.wait({freezing, done}, return_when=asyncio.FIRST_COMPLETED)
        freezing.cancel()

    async def _freeze(self, name: str) -> None:
        self.name = name
        self.frozen.set()
        await self.thawed.wait()


class WrappedPort:
    """A *port*, as the worker of a *life* reaches it."""

    def __init__(self, port: Any, life: Life) -> None:
        self._port = port
        self._life = life

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        return self._stream(name, method) if name in STREAMS else self._call(name, method)

    def _call(self, name: str, method: Any) -> Any:
        async def call(*args: Any, **kwargs: Any) -> Any:
            return await self._life.called(name, lambda: method(*args, **kwargs))

        return call

    def _stream(self, name: str, method: Any) -> Any:
        async def stream(*args: Any, **kwargs: Any) -> AsyncGenerator[Any]:
            async with aclosing(method(*args, **kwargs)) as items:
                while True:
                    try:
                        yield await self._life.called(name, lambda: anext(items))
                    except StopAsyncIteration:
                        return

        return stream


@dataclass(frozen=True)
class RequestUnderTest:
    """The request, which is sent in the same way each time."""

    spoken: bool = False
    named: bool = False
    """It names a conversation that exists already."""
    speech_file: bool = False
    """Its speech is stored, to be fetched by URL."""
    words: str = "hello"


@dataclass
class World:
    """The stores and providers, which outlive a worker."""

    request: RequestUnderTest = field(default_factory=RequestUnderTest)
    requests: MemoryRequests = field(default_factory=MemoryRequests)
    conversations: ScriptedConversations = field(default_factory=ScriptedConversations)
    speeches: MemorySpeeches = field(default_factory=MemorySpeeches)
    stt: ScriptedStt = field(default_factory=ScriptedStt)
    assistant: NewAssistant = field(default_factory=NewAssistant)
    tts: ScriptedTts = field(default_factory=lambda: ScriptedTts(seconds_per_character=0.001))
    rules: LeaseRules = RULES

    def __post_init__(self) -> None:
        if self.request.named:
            before = Turn("t0", "c1", "Hi.", "Hello.", created_at=FIRST, spoken=False)
            self.conversations.stored["ann", "c1"] = [before]

    async def ask(self, life: Life | None = None, *, into: list[Event] | None = None, words: str = "") -> list[Event]:
        """The events with which one worker answers the request; added to *into* as they arrive."""
        events = [] if into is None else into
        async for event in self.turn(life or Life(), words or self.request.words):
            events.append(event)
        return events

    def turn(self, life: Life, words: str, received: Position | None = None) -> AsyncGenerator[Event]:
        services = TurnServices(
            stt=life.wrapped(self.stt),
            assistant=life.wrapped(self.assistant),
            tts=life.wrapped(self.tts),
            conversations=life.wrapped(self.conversations),
        )
        idempotent_turns = IdempotentTurns(
            requests=life.wrapped(self.requests), services=services, rules=self.rules, runs=life.runs
        )
        fingerprint = Fingerprint("k", words, _upload() if self.request.spoken else None)
        request = self._turn_request(fingerprint if self.request.spoken else None, words)
        return idempotent_turns.run(
            request,
            IdempotentRequest(NAME, fingerprint),
            self._handlers(request, services, life.wrapped(self.speeches)),
            received or Position(),
        )

    def _turn_request(self, recording: Fingerprint | None, words: str) -> TurnRequest:
        return TurnRequest(
            user_id="ann",
            turn_id=NAME.id,
            conversation_id="c1",
            begins=not self.request.named,
            utterance=None if recording is None else _chunks(recording),
            text="" if recording else words,
        )

    def _handlers(self, request: TurnRequest, services: TurnServices, speeches: Any) -> TurnHandlers:
        name = SpeechName("ann", "c1", NAME.id)
        if not self.request.speech_file:
            return TurnHandlers(
                lambda taken: take_turn(taken, services),
                lambda turn, received: replay(turn, request, services, received),
            )
        return TurnHandlers(
            lambda taken: without_audio(take_turn(taken, services), name, speeches),
            lambda turn, received: replay_without_audio(turn, request, services, speeches, received, keep_hours=1),
        )

    @property
    def stored(self) -> list[Turn]:
        """The turns of the request in the store of conversations."""
        return [turn for turns in self.conversations.stored.values() for turn in turns if turn.id == NAME.id]

    @property
    def completed(self) -> bool:
        """Whether the complete turn is stored."""
        return any(not turn.interrupted for turn in self.stored)


def ending(events: Sequence[Event]) -> Turn | VoiceError:
    """The turn of the last event, or its error."""
    match events[-1]:
        case TurnDone(turn):
            return turn
        case TurnFailed(error):
            return error
    raise AssertionError(events[-1])


def words_in(events: Sequence[Event]) -> tuple[str, ...]:
    """The ids, the transcript and the reply of the turn in *events*."""
    turn = ending(events)
    assert isinstance(turn, Turn), turn
    return turn.id, turn.conversation_id, turn.transcript, turn.reply


async def _upload() -> AsyncGenerator[bytes]:
    for start in range(0, len(SPOKEN), 3200):
        yield SPOKEN[start : start + 3200]


async def _chunks(recording: Fingerprint) -> AsyncGenerator[bytes]:
    async for chunk in recording:
        yield chunk
