"""The ports of a turn in plain Python, with scripted delays and faults: a turn needs no real service."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic

from voice_core.domain.audio import RECOGNITION_RATE, SPEECH_RATE, milliseconds
from voice_core.domain.conversation import Conversation, Page, Turn
from voice_core.domain.errors import Conflict, NotFound
from voice_core.domain.limits import DailyQuota, Rate, Usage, day
from voice_core.domain.speech import Hints, Interim, Transcript, Voice

CHUNK_SECONDS = 0.1
"""Length of a chunk of synthesised speech."""

Failure = Exception | None


async def until(moment: float) -> None:
    """Wait until *moment* on the event loop's clock, so that delays do not add up."""
    await asyncio.sleep(max(0.0, moment - asyncio.get_running_loop().time()))


@dataclass
class ScriptedStt:
    text: str = "what is the weather like"
    interims: Sequence[str] = ()
    final_seconds: float = 0.0
    """Delay from the end of the utterance to the transcript."""
    failure: Failure = None
    hangs: bool = False
    calls: int = 0
    heard_bytes: int = 0
    hints: Hints | None = None
    cancelled: bool = False

    async def warm(self, hints: Hints) -> None:
        """Nothing to open."""

    async def transcribe(self, utterance: AsyncIterable[bytes], hints: Hints) -> AsyncGenerator[Interim | Transcript]:
        self.calls, self.hints = self.calls + 1, hints
        try:
            for text in self.interims:
                yield Interim(text)
            async for pcm in utterance:
                self.heard_bytes += len(pcm)
            if self.hangs:
                await asyncio.Event().wait()
            await asyncio.sleep(self.final_seconds)
            if self.failure:
                raise self.failure
            yield Transcript(self.text, "en-US", 0.9, milliseconds(self.heard_bytes, RECOGNITION_RATE))
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled = True
            raise


@dataclass
class ScriptedAssistant:
    reply_text: str = "It is sunny today. Take a hat with you. Enjoy the day. Goodbye now."
    first_seconds: float = 0.0
    tokens_per_second: float = 0.0
    """0: all at once."""
    failure: Failure = None
    fails_after: int = 0
    """Number of tokens before the failure."""
    hangs_after: int | None = None
    goes_on: asyncio.Event = field(default_factory=asyncio.Event, compare=False)
    """Ends the hanging."""
    requests: list[tuple[str, list[Turn]]] = field(default_factory=list)
    cancelled: bool = False

    async def warm(self) -> None:
        """Nothing to open."""

    async def reply(self, text: str, history: Sequence[Turn]) -> AsyncGenerator[str]:
        self.requests.append((text, list(history)))
        began = asyncio.get_running_loop().time()
        try:
            for number, token in enumerate(self.reply_text.split(" ")):
                if self.failure and number >= self.fails_after:
                    raise self.failure
                if number == self.hangs_after:
                    await self.goes_on.wait()
                pace = number / self.tokens_per_second if self.tokens_per_second else 0.0
                if self.first_seconds + pace:
                    await until(began + self.first_seconds + pace)
                yield token if number == 0 else f" {token}"
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled = True
            raise


@dataclass
class ScriptedTts:
    first_seconds: float = 0.0
    real_time_factor: float = 0.0
    """0: all at once."""
    seconds_per_character: float = 0.05
    failure: Failure = None
    fails_at: int = 0
    """The sentence, counted from 0, that fails."""
    odd_chunks: bool = False
    spoken: list[str] = field(default_factory=list)
    voice: str | None = None
    at_once: int = 0
    most_at_once: int = 0
    cancelled: int = 0

    async def warm(self, voice: str | None) -> None:
        """Nothing to open."""

    async def voices(self) -> Sequence[Voice]:
        return (Voice("en-US-TestNeural", "en-US"),)

    async def synthesize(self, text: str, voice: str | None) -> AsyncGenerator[bytes]:
        number, self.voice = len(self.spoken), voice
        self.spoken.append(text)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        began = asyncio.get_running_loop().time()
        try:
            for done, chunk in enumerate(self._chunks(text, number)):
                pace = done * CHUNK_SECONDS / self.real_time_factor if self.real_time_factor else 0.0
                if self.first_seconds + pace:
                    await until(began + self.first_seconds + pace)
                if self.failure and number >= self.fails_at:
                    raise self.failure
                yield chunk
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise
        finally:
            self.at_once -= 1

    def _chunks(self, text: str, number: int) -> list[bytes]:
        """PCM with a sample value of its own for each sentence, so that the order of sentences can be checked."""
        samples = round(len(text) * self.seconds_per_character * SPEECH_RATE)
        pcm = (number + 1).to_bytes(2, "little") * samples
        step = round(CHUNK_SECONDS * SPEECH_RATE) * 2 - self.odd_chunks
        return [pcm[start : start + step] for start in range(0, len(pcm), step)]


@dataclass
class ScriptedConversations:
    stored: dict[tuple[str, str], list[Turn]] = field(default_factory=dict)
    failure: Failure = None
    hangs: bool = False
    deleted_at: dict[tuple[str, str], float] = field(default_factory=dict)
    """When each deleted conversation was deleted, by the monotonic clock."""

    async def recent(self, user_id: str, conversation_id: str, limit: int) -> Sequence[Turn]:
        await self._trouble()
        if (user_id, conversation_id) not in self.stored:
            raise NotFound("You have no such conversation.", code="conversation-not-found")
        return self.stored[user_id, conversation_id][-limit:]

    async def turn(self, user_id: str, conversation_id: str, turn_id: str) -> Turn:
        await self._trouble()
        for turn in self.stored.get((user_id, conversation_id), []):
            if turn.id == turn_id:
                return turn
        raise NotFound("You have no such turn.", code="turn-not-found")

    async def append(self, user_id: str, turn: Turn, age_seconds: float = 0.0) -> bool:
        await self._trouble()
        deleted_at = self.deleted_at.get((user_id, turn.conversation_id))
        if deleted_at is not None and monotonic() - age_seconds <= deleted_at:
            raise Conflict("The conversation was deleted.", code="conversation-deleted", retryable=False)
        turns = self.stored.setdefault((user_id, turn.conversation_id), [])
        for number, known in enumerate(turns):
            if known.id == turn.id and not known.interrupted:
                return known == turn
            if known.id == turn.id:
                turns[number] = turn
                return True
        turns.append(turn)
        return True

    async def list(self, user_id: str, limit: int, continuation: str | None) -> Page[Conversation]:
        return Page(())

    async def turns(self, user_id: str, conversation_id: str, limit: int, continuation: str | None) -> Page[Turn]:
        return Page(tuple(reversed(await self.recent(user_id, conversation_id, limit))))

    async def forget(self, user_id: str, conversation_id: str, turn_id: str) -> None:
        await self._trouble()
        place = user_id, conversation_id
        if not (left := [turn for turn in self.stored.pop(place, []) if turn.id != turn_id]):
            return
        self.stored[place] = left

    async def delete(self, user_id: str, conversation_id: str) -> None:
        self.stored.pop((user_id, conversation_id), None)
        self.deleted_at[user_id, conversation_id] = monotonic()

    @property
    def all_turns(self) -> "list[Turn]":  # type: ignore[valid-type]
        return [turn for turns in self.stored.values() for turn in turns]

    async def _trouble(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.failure:
            raise self.failure


@dataclass
class ScriptedUsageStore:
    """A store of usage in memory; with *failure*, one that is unavailable."""

    failure: Failure = None
    moments: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """Times of admissions by user and kind, newest first."""
    heard_ms: dict[tuple[str, int], int] = field(default_factory=dict)
    """Milliseconds of sound by user and day."""
    calls: int = 0

    async def admit(self, user_id: str, rate: Rate, quota: DailyQuota | None, now: int) -> tuple[bool, Usage]:
        self._count()
        moments = self.moments.setdefault((user_id, rate.kind), [])
        used = Usage(tuple(moments), day(now), self.heard_ms.get((user_id, day(now)), 0))
        limits = (rate, quota) if quota else (rate,)
        if not all(limit.left(used, now).count for limit in limits):
            return False, used
        moments.insert(0, now)
        return True, replace(used, moments=tuple(moments))

    async def admit_audio(self, user_id: str, heard_ms: int, quota: DailyQuota, now: int) -> tuple[bool, Usage]:
        self._count()
        used_ms = self.heard_ms.get((user_id, day(now)), 0)
        if used_ms >= quota.seconds * 1000:
            return False, Usage((), day(now), used_ms)
        self.heard_ms[user_id, day(now)] = used_ms + heard_ms
        return True, Usage((), day(now), used_ms + heard_ms)

    async def add_audio(self, user_id: str, heard_ms: int, now: int) -> None:
        self._count()
        self.heard_ms[user_id, day(now)] = self.heard_ms.get((user_id, day(now)), 0) + heard_ms

    async def audio_usage(self, user_id: str) -> Usage:
        self._count()
        latest = max((on for user, on in self.heard_ms if user == user_id), default=0)
        return Usage((), latest, self.heard_ms.get((user_id, latest), 0))

    def _count(self) -> None:
        self.calls += 1
        if self.failure:
            raise self.failure
