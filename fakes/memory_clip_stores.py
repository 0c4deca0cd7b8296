"""The services that process clips, in plain Python: every store in memory, and a worker that dies at any call."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from fakes.scripted_ports import (
    ScriptedAssistant,
    ScriptedConversations,
    ScriptedStt,
    ScriptedTts,
    ScriptedUsageStore,
)
from fakes.tone_words import recognize
from voice_core.audio import wav
from voice_core.domain.clip import Clip, ClipName, Recording, UploadPermission
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import Conflict, NotFound, StageFailed
from voice_core.domain.limits import DailyQuota
from voice_core.domain.speech import Hints, Interim, SpeechName, StoredSpeech, TimedPhrase, TimedWord, Transcript
from voice_core.usecases.clip.services import ClipRules, ClipServices
from voice_core.usecases.limits.audio_meter import AudioMeter
from voice_core.usecases.limits.rate_limiter import LimitRules
from voice_core.usecases.turn.services import TurnServices

NAME = ClipName("ann", "clip1")
CONVERSATION = "c1"

RULES = ClipRules(
    segment_seconds=4.0, claim_seconds=0.2, progress_seconds=0.01, pause_seconds=0.0, tries=2, attempts=1000
)
LIMITS = LimitRules(rates={}, quota=DailyQuota(1000), when_down="closed")


@dataclass
class MemoryClips:
    stored: dict[ClipName, Clip] = field(default_factory=dict)
    versions: Any = field(default_factory=lambda: count(1))
    statuses: list[str] = field(default_factory=list)

    async def add(self, clip: Clip) -> Clip:
        if clip.name in self.stored:
            raise Conflict("There is a clip of this id.", code="clip-exists")
        return self._keep(clip)

    async def get(self, name: ClipName) -> Clip:
        if name not in self.stored:
            raise NotFound("There is no such clip.", code="clip-not-found")
        return self.stored[name]

    async def replace(self, clip: Clip) -> Clip:
        if clip.name not in self.stored or self.stored[clip.name].etag != clip.etag:
            raise Conflict("Another worker has changed this clip.")
        return self._keep(clip)

    async def of_conversation(self, user_id: str, conversation_id: str) -> Sequence[ClipName]:
        clips = self.stored.values()
        return [clip.name for clip in clips if (clip.user_id, clip.conversation_id) == (user_id, conversation_id)]

    def _keep(self, clip: Clip) -> Clip:
        self.stored[clip.name] = replace(clip, etag=str(next(self.versions)))
        self.statuses.append(clip.status)
        return self.stored[clip.name]


@dataclass
class MemoryRecordings:
    stored: dict[ClipName, tuple[str, bytes]] = field(default_factory=dict)

    def upload(self, data: bytes, name: ClipName = NAME) -> None:
        version, _ = self.stored.get(name, ("v0", b""))
        self.stored[name] = (f"v{int(version[1:]) + 1}", data)

    async def allow_upload(self, name: ClipName, until: datetime, *, in_blocks: bool) -> UploadPermission:
        return UploadPermission(f"memory:{name.clip_id}", {})

    async def find(self, name: ClipName) -> Recording:
        version, data = self._found(name)
        return Recording(name, version, len(data))

    async def read(self, recording: Recording, start: int, count: int) -> bytes:
        version, data = self._found(recording.name)
        if version != recording.version:
            raise Conflict("The recording has been replaced.", code="recording-changed")
        return data[start : start + count]

    async def delete(self, name: ClipName) -> None:
        self.stored.pop(name, None)

    def _found(self, name: ClipName) -> tuple[str, bytes]:
        if name not in self.stored:
            raise NotFound("It is not in storage.", code="recording-missing")
        return self.stored[name]


@dataclass
class MemoryArtefacts:
    stored: dict[tuple[ClipName, str], bytes] = field(default_factory=dict)

    async def put(self, clip: ClipName, name: str, data: bytes) -> None:
        self.stored[clip, name] = data

    async def get(self, clip: ClipName, name: str) -> bytes:
        if (clip, name) not in self.stored:
            raise NotFound("It is not in storage.", code="artefact-missing")
        return self.stored[clip, name]

    async def names(self, clip: ClipName, prefix: str) -> Sequence[str]:
        return sorted(name for owner, name in self.stored if owner == clip and name.startswith(prefix))

    async def delete(self, clip: ClipName) -> None:
        self.stored = {key: data for key, data in self.stored.items() if key[0] != clip}


@dataclass
class MemorySpeeches:
    stored: dict[SpeechName, bytes] = field(default_factory=dict)
    complete: set[SpeechName] = field(default_factory=set)
    files: dict[tuple[SpeechName, str], bytes] = field(default_factory=dict)

    async def begin(self, name: SpeechName) -> None:
        self.stored[name] = b""
        self.complete.discard(name)
        self.files = {place: data for place, data in self.files.items() if place[0] != name}

    async def append(self, name: SpeechName, start: int, pcm: bytes) -> None:
        await self.find(name)
        if len(self.stored[name]) not in (start, start + len(pcm)):
            raise StageFailed("Another worker stores speech here.", stage="storage")
        self.stored[name] = self.stored[name][:start] + pcm

    async def finish(self, name: SpeechName) -> None:
        await self.find(name)
        self.complete.add(name)

    async def find(self, name: SpeechName) -> StoredSpeech:
        if name not in self.stored:
            raise NotFound("It is not in storage.", code="speech-not-found")
        return StoredSpeech(name, len(self.stored[name]), name in self.complete, datetime.now(UTC))

    async def read(self, name: SpeechName, start: int, count: int) -> bytes:
        return self.stored[name][start : start + count]

    async def encoded(self, name: SpeechName, audio_format: str) -> int:
        if (name, audio_format) not in self.files:
            raise NotFound("It is not in storage.", code="speech-not-found")
        return len(self.files[name, audio_format])

    async def put_encoded(self, name: SpeechName, audio_format: str, data: bytes) -> None:
        self.files.setdefault((name, audio_format), data)

    async def read_encoded(self, name: SpeechName, audio_format: str, start: int, count: int) -> bytes:
        return self.files[name, audio_format][start : start + count]

    async def delete(self, user_id: str, conversation_id: str, turn_id: str = "") -> None:
        for name in [*self.stored]:
            if (name.user_id, name.conversation_id) == (user_id, conversation_id) and turn_id in ("", name.turn_id):
                del self.stored[name]


@dataclass
class ToneStt:
    """Recognises tones as words, and counts how often each sound was paid for."""

    billed: Counter[bytes] = field(default_factory=Counter)
    begun: Counter[bytes] = field(default_factory=Counter)
    seconds: float = 0.0
    at_once: int = 0
    most_at_once: int = 0
    failures: list[Exception] = field(default_factory=list)
    """Errors of the next calls, one for each."""

    async def warm(self, hints: Hints) -> None:
        """Nothing to open."""

    async def transcribe(self, utterance: AsyncIterable[bytes], hints: Hints) -> AsyncGenerator[Interim | Transcript]:
        pcm = b"".join([piece async for piece in utterance])
        self.begun[pcm] += 1
        if self.failures:
            raise self.failures.pop(0)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.at_once -= 1
        self.billed[pcm] += 1
        words = tuple(TimedWord(said.text, round(said.start * 1000), round(said.end * 1000)) for said in recognize(pcm))
        text = " ".join(word.text for word in words)
        phrase = TimedPhrase(text, words[0].start_ms, words[-1].end_ms, "", 0.9, words)
        yield Transcript(text, "en-US", 0.9, 0, (phrase,))


class WorkerDeath(BaseException):
    """The worker has died."""


class MortalWorker:
    """Wraps the ports of one worker, which dies at call *dies_at*: before it takes effect, or *after*."""

    def __init__(self, dies_at: int | None = None, *, after: bool = False) -> None:
        self._dies_at = dies_at
        self._after = after
        self.calls = 0
        self.names: list[str] = []

    def wrapped(self, port: Any) -> Any:
        return _MortalPort(port, self)

    def called(self, name: str) -> bool:
        """Count a call. Returns whether the worker dies when the call is done; raises WorkerDeath if it is dead."""
        self.calls += 1
        self.names.append(name)
        dead = self._dies_at is not None and self.calls > self._dies_at
        last = self.calls == self._dies_at
        if dead or (last and not self._after):
            raise WorkerDeath
        return last


class _MortalPort:
    def __init__(self, port: Any, mortal: MortalWorker) -> None:
        self._port = port
        self._mortal = mortal

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if not callable(method):
            return method
        if name in ("transcribe", "reply", "synthesize"):
            return self._streamed(name, method)

        async def call(*args: Any, **kwargs: Any) -> Any:
            last = self._mortal.called(name)
            # Other tasks run before and after the call, as they do around every real request.
            await asyncio.sleep(0)
            result = await method(*args, **kwargs)
            await asyncio.sleep(0)
            if last:
                raise WorkerDeath
            return result

        return call

    def _streamed(self, name: str, method: Any) -> Any:
        async def stream(*args: Any, **kwargs: Any) -> AsyncGenerator[Any]:
            last = self._mortal.called(name)
            async for item in method(*args, **kwargs):
                yield item
            if last:
                raise WorkerDeath

        return stream


@dataclass
class World:
    """The stores and providers, which outlive a worker."""

    clips: MemoryClips = field(default_factory=MemoryClips)
    recordings: MemoryRecordings = field(default_factory=MemoryRecordings)
    artefacts: MemoryArtefacts = field(default_factory=MemoryArtefacts)
    speeches: MemorySpeeches = field(default_factory=MemorySpeeches)
    stt: ToneStt = field(default_factory=ToneStt)
    assistant: ScriptedAssistant = field(default_factory=lambda: ScriptedAssistant(reply_text="All is well."))
    tts: ScriptedTts = field(default_factory=lambda: ScriptedTts(seconds_per_character=0.001))
    conversations: ScriptedConversations = field(default_factory=ScriptedConversations)
    usage: ScriptedUsageStore = field(default_factory=ScriptedUsageStore)
    rules: ClipRules = RULES
    limits: LimitRules = LIMITS

    def worker(self, mortal: MortalWorker | None = None) -> ClipServices:
        """The services of a worker; calls go through *mortal* if there is one."""
        wrapped = mortal.wrapped if mortal else lambda port: port
        services = TurnServices(
            stt=ScriptedStt(),
            assistant=wrapped(self.assistant),
            tts=wrapped(self.tts),
            conversations=wrapped(self.conversations),
        )
        return ClipServices(
            clips=wrapped(self.clips),
            recordings=wrapped(self.recordings),
            artefacts=wrapped(self.artefacts),
            speeches=wrapped(self.speeches),
            stt=wrapped(self.stt),
            turn=services,
            audio_meter=AudioMeter(self.usage, self.limits, time.time),
            rules=self.rules,
        )

    async def open(self, recording: bytes | None = None, **members: Any) -> Clip:
        """A clip that waits for its *recording*, or whose recording is uploaded."""
        now = datetime.now(UTC)
        opened: dict[str, Any] = {
            "id": NAME.clip_id,
            "user_id": NAME.user_id,
            "conversation_id": CONVERSATION,
            "created_at": now,
            "upload_until": now + timedelta(minutes=15),
        }
        if recording is not None:
            self.recordings.upload(recording)
        return await self.clips.add(Clip(**(opened | members)))

    @property
    def turns(self) -> list[Turn]:
        """The stored turns of all conversations."""
        return [turn for turns in self.conversations.stored.values() for turn in turns]

    @property
    def leftovers(self) -> list[Any]:
        """Names of the stored recordings, artefacts and speeches."""
        return [*self.recordings.stored, *self.artefacts.stored, *self.speeches.stored]

    @property
    def clip(self) -> Clip:
        return self.clips.stored[NAME]

    def text(self) -> str:
        """The text of the transcript."""
        return self.artefacts.stored[NAME, "transcript.txt"].decode()


def recording(pcm: bytes) -> bytes:
    return wav.whole(pcm, 16_000)
