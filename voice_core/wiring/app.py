"""The use cases of the product, connected to its adapters."""

import asyncio
import gc
import threading
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any

from voice_core import telemetry
from voice_core.audio.container_decoder import Room
from voice_core.audio.limits import Limits
from voice_core.audio.pcm_layout import RawPcm
from voice_core.domain.speech import Hints, Voice
from voice_core.ports.providers import Checkable
from voice_core.settings import Settings
from voice_core.wiring.adapters import Adapters
from voice_core.wiring.lazy import Lazy
from voice_core.wiring.telemetry import TelemetryWatchers

if TYPE_CHECKING:
    from voice_core.audio.decoder_process.pool import DecoderPool
    from voice_core.audio.encoding import SpeechEncoder
    from voice_core.audio.upload_decoder import Decoding
    from voice_core.domain.events import Event
    from voice_core.domain.speech import Transcript
    from voice_core.usecases.check_health import HealthCheck, SharedRun
    from voice_core.usecases.session.ice_servers import IceServers
    from voice_core.usecases.session.sessions import Sessions
    from voice_core.usecases.turn.request import TurnRequest
    from voice_core.usecases.turn.services import TurnServices
    from voice_core.wiring.clips import ClipWork
    from voice_core.wiring.keyed_turns import KeyedTurns
    from voice_core.wiring.limits import UserLimits
    from voice_core.wiring.resilience import Guards


class App(Adapters):
    """The product in one worker process, from its settings."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._loading = threading.Lock()
        self._warming: asyncio.Task[None] | None = None
        self.telemetry = TelemetryWatchers(settings)

    @Lazy
    def guards(self) -> "Guards":
        """Circuit breakers, bulkheads and the retry budget."""
        from voice_core.wiring.resilience import Guards

        return Guards(self.settings)

    @Lazy
    def second(self) -> Adapters:
        """The adapters of the fallback providers, as far as the settings name any."""
        return Adapters(self.settings.fallback)

    @Lazy
    def services(self) -> "TurnServices":
        """The services that a turn needs."""
        from voice_core.wiring.services import turn_services

        return turn_services(self, self.second, self.guards)

    @Lazy
    def keyed_turns(self) -> "KeyedTurns":
        """Takes each turn once, however often it is requested under the same Idempotency-Key."""
        from voice_core.wiring.keyed_turns import KeyedTurns

        return KeyedTurns(self, self.services, self.guards, self.take_turn)

    @Lazy
    def user_limits(self) -> "UserLimits":
        """The rate limits and the daily quota of each user."""
        from voice_core.wiring.limits import UserLimits

        store = self.guards.store(self.usage, "limits", self.settings.limits_seconds)
        return UserLimits(self.settings, store, self.usage.clock)

    @Lazy
    def clip_work(self) -> "ClipWork":
        """The processing of clips, and the store of speech."""
        from voice_core.wiring.clips import ClipWork

        return ClipWork(self, self.services, self.user_limits, self.guards, self.decoders)

    @Lazy
    def ice(self) -> "IceServers":
        """The STUN servers and relays by which clients reach us."""
        from voice_core.wiring.ice import ice_servers

        return ice_servers(self.settings)

    @Lazy
    def sessions(self) -> "Sessions":
        """The sessions of this worker."""
        from voice_core.wiring.sessions import sessions

        return sessions(self.settings, self.peers, self.ice, self.limits, self.user_limits, self.take_turn)

    @Lazy
    def limits(self) -> Limits:
        """The limits of an utterance."""
        return Limits(max_bytes=self.settings.max_audio_bytes, max_seconds=self.settings.max_audio_seconds)

    @Lazy
    def decoders(self) -> "DecoderPool":
        """The processes that decode recordings."""
        from voice_core.audio.decoder_process.pool import DecoderPool

        return DecoderPool(telemetry.event)

    def decoding(self, raw: RawPcm | None, user_id: str, room: Room | None = None) -> "Decoding":
        """A decoder of one upload. *raw* is the layout of bytes in no container; *room* is for one held completely."""
        from voice_core.audio.decoder_process.user_decoder import UserDecoder
        from voice_core.audio.upload_decoder import Decoding

        return Decoding(raw, self.limits, UserDecoder(self.decoders, user_id, room))

    def encoder(self, audio_format: str) -> "SpeechEncoder":
        """An encoder of one turn's speech to *audio_format*."""
        from voice_core.audio.encoding import encoder

        return encoder(audio_format)

    async def voices(self) -> Sequence[Voice]:
        return await self.services.tts.voices()

    def take_turn(self, request: "TurnRequest") -> "AsyncGenerator[Event]":
        from voice_core.usecases.turn.take_turn import take_turn

        return take_turn(self.user_limits.metered(request), self.services)

    async def transcribe(self, utterance: AsyncGenerator[bytes], hints: Hints) -> "Transcript":
        from voice_core.usecases.turn.transcribe import transcribe

        return await transcribe(utterance, hints, self.services)

    async def delete_conversation(self, user_id: str, conversation_id: str) -> None:
        """Delete a conversation, its clips, its speech and the journals of its turns."""
        if self.settings.storage_url:
            await self.load_clips()
            await self.clip_work.delete_conversation(user_id, conversation_id)
        else:
            await self.services.conversations.delete(user_id, conversation_id)
        await self.keyed_turns.forget(user_id, conversation_id)

    def read_aloud(self, text: str, voice: str | None) -> AsyncGenerator[bytes]:
        from voice_core.usecases.turn.read_aloud import read_aloud

        return read_aloud(text, voice, self.services)

    @property
    def dependencies(self) -> dict[str, Checkable]:
        """The external services that the product needs, by their names in the health report."""
        stored = self.clip_work.dependencies if self.settings.storage_url else {}
        return self.services_of_turns | self.second.fallbacks | stored

    @Lazy
    def health_check(self) -> "HealthCheck":
        """The health check of the dependencies."""
        from voice_core.usecases.check_health import HealthCheck

        return HealthCheck(lambda: self.dependencies)

    async def load_callers(self) -> None:
        """Import the identification of callers, off the event loop."""
        await self._build(App.callers)

    async def load(self) -> None:
        """Import what a turn needs, off the event loop."""
        if not App.keyed_turns.is_built(self):
            await asyncio.to_thread(self._load)

    def _load(self) -> None:
        from voice_core.audio import encoding, upload_decoder  # noqa: F401
        from voice_core.audio.decoder_process import pool  # noqa: F401
        from voice_core.usecases.turn import read_aloud, take_turn, transcribe  # noqa: F401

        with self._loading:
            # In this order: when the last is built, `load` knows that all are.
            _ = self.services, self.user_limits, self.keyed_turns
        # All of these objects live on. Without the freeze a collection would scan them now and then, for 40 ms.
        gc.collect()
        gc.freeze()

    async def load_sessions(self) -> None:
        """Import what a session needs in addition, off the event loop."""
        await self.load()
        await self._build(App.sessions)

    async def load_clips(self) -> None:
        """Import what a clip needs in addition, off the event loop."""
        await self.load()
        await self._build(App.clip_work)

    async def _build(self, part: Lazy[Any]) -> None:
        """Build *part*, and import its dependencies, off the event loop."""
        if not part.is_built(self):
            await asyncio.to_thread(self._build_now, part)

    def _build_now(self, part: Lazy[Any]) -> None:
        with self._loading:
            part.of(self)
        gc.freeze()

    def warm_soon(self) -> None:
        """`warm`, and import what a session needs, in the background."""
        if self._warming is None or self._warming.done():
            self._warming = asyncio.create_task(self._warm_all())

    async def _warm_all(self) -> None:
        await self.load_sessions()
        await self.warm()

    async def warm(self) -> None:
        """Load what the first turn needs, off the event loop, and open its connections; one run serves all callers."""
        await self.warm_run.result()

    @Lazy
    def warm_run(self) -> "SharedRun[None]":
        """The preparation of this worker for its first turn."""
        from voice_core.usecases.check_health import WARM_SECONDS, SharedRun

        return SharedRun(self._warm, WARM_SECONDS)

    async def _warm(self) -> None:
        await asyncio.gather(self.load(), self.load_callers())
        services = self.services
        providers = services.stt.warm(Hints()), services.assistant.warm(), services.tts.warm(None)
        others = self.usage.check(), self.requests.check(), self.callers.check(), self.decoders.warm()
        await asyncio.gather(*providers, *others, return_exceptions=True)

    async def close(self) -> None:
        """Close all parts that were built, each before the parts that it was built from."""
        if self._warming is not None:
            await asyncio.wait([self._warming])
        if App.warm_run.is_built(self):
            await self.warm_run.close()
        if App.keyed_turns.is_built(self):
            await self.keyed_turns.close()
        try:
            await super().close()
        finally:
            await asyncio.to_thread(self.telemetry.close)
