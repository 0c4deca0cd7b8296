"""The processing of clips and the store of speech. Loaded when either is first used."""

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

from voice_core.adapters.azure_speech.recognition import AzureSpeechToText
from voice_core.adapters.blob_storage.account import BlobAccount
from voice_core.adapters.blob_storage.artefacts import BlobArtefacts
from voice_core.adapters.blob_storage.names import clip_name
from voice_core.adapters.blob_storage.recordings import BlobRecordings
from voice_core.adapters.blob_storage.speeches import BlobSpeeches
from voice_core.adapters.cosmos.clips import CosmosClips
from voice_core.audio.decoder_process.pool import DecoderPool
from voice_core.audio.decoder_process.user_decoder import UserDecoder
from voice_core.audio.limits import Limits
from voice_core.domain.clip import ClipName
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import Unreachable
from voice_core.domain.events import Event
from voice_core.domain.position import Position
from voice_core.domain.speech import SpeechName, StoredSpeech
from voice_core.ports.clips import Artefacts, Clips, Recordings, Speeches
from voice_core.ports.providers import Checkable
from voice_core.settings import Settings
from voice_core.usecases.clip.cancel_clip import cancel_clip, delete_conversation
from voice_core.usecases.clip.clip_lease import give_up
from voice_core.usecases.clip.follow_clip import ClipFollowers
from voice_core.usecases.clip.offer_clip import ClipOffer, NewClip, offer_clip
from voice_core.usecases.clip.process_clip import process_clip
from voice_core.usecases.clip.services import ClipRules, ClipServices
from voice_core.usecases.idempotency.replay import replay_without_audio
from voice_core.usecases.speech_file.fetch_speech import Encode, encoded_bytes, find_speech, follow_speech
from voice_core.usecases.speech_file.save_speech import without_audio
from voice_core.usecases.turn.request import TurnRequest
from voice_core.usecases.turn.services import TurnServices
from voice_core.wiring.adapters import Adapters
from voice_core.wiring.limits import UserLimits
from voice_core.wiring.resilience import Guards


class ClipWork:
    """The processing of clips in one worker process: *services* reply, within *limits* and behind *guards*.

    Raises:
        Unreachable: no storage account is set.
    """

    def __init__(
        self, adapters: Adapters, services: TurnServices, limits: UserLimits, guards: Guards, decoders: DecoderPool
    ) -> None:
        settings = adapters.settings
        if not settings.storage_url:
            raise Unreachable(
                "Clip storage is not set up: STORAGE_URL is empty. `make run` sets it up if Node is installed.",
                stage="storage",
                retryable=False,
            )
        self.storage = BlobAccount(
            settings.storage_url, credential=settings.storage_key or adapters.identity(), create=settings.storage_create
        )
        self._jobs = CosmosClips(
            adapters.database, ttl_seconds=settings.clip_days * 86_400, deadline_seconds=settings.conversations_seconds
        )
        self._speech_hours = settings.speech_hours
        self.stt = AzureSpeechToText(
            adapters.speech, language=settings.speech_language, final_seconds=settings.clip_stt_seconds
        )
        jobs: Clips = self._jobs
        recordings: Recordings = BlobRecordings(self.storage)
        artefacts: Artefacts = BlobArtefacts(self.storage)
        speeches: Speeches = BlobSpeeches(self.storage)
        self.clips = guards.store(jobs, "clips", settings.conversations_seconds)
        self.followers = ClipFollowers(self.clips)
        self.artefacts, self.speeches = guards.storage(artefacts), guards.storage(speeches)
        self.services = ClipServices(
            clips=self.clips,
            recordings=guards.storage(recordings),
            artefacts=self.artefacts,
            speeches=self.speeches,
            stt=guards.clip_stt(self.stt),
            retries=guards.retries,
            turn=services,
            audio_meter=limits.audio_meter,
            rules=_rules(settings),
            containers=partial(UserDecoder, decoders),
        )

    @property
    def dependencies(self) -> dict[str, Checkable]:
        """The services that a clip needs and a turn does not."""
        return {"clips": self._jobs, "storage": self.storage}

    async def offer(self, clip: NewClip) -> ClipOffer:
        return await offer_clip(clip, self.services)

    async def process(self, name: ClipName) -> None:
        await process_clip(name, self.services)

    async def give_up(self, name: ClipName) -> None:
        await give_up(name, self.services)

    async def cancel(self, name: ClipName) -> None:
        await cancel_clip(name, self.services)

    async def delete_conversation(self, user_id: str, conversation_id: str) -> None:
        await delete_conversation(user_id, conversation_id, self.services)

    async def find_speech(self, name: SpeechName) -> StoredSpeech:
        return await find_speech(name, self.speeches, keep_hours=self._speech_hours)

    def follow_speech(self, name: SpeechName) -> AsyncGenerator[bytes]:
        return follow_speech(name, self.speeches)

    async def encoded_bytes(self, speech: StoredSpeech, audio_format: str, encode: Encode) -> int:
        return await encoded_bytes(speech, audio_format, encode, self.speeches)

    def without_audio(self, turn: AsyncGenerator[Event], name: SpeechName) -> AsyncGenerator[Event]:
        """The events of *turn* without its sound, which is stored as *name*."""
        return without_audio(turn, name, self.speeches)

    def replay_without_audio(self, turn: Turn, request: TurnRequest, received: Position) -> AsyncGenerator[Event]:
        """The events of the stored *turn* that were not *received*, without its sound, which is stored."""
        return replay_without_audio(
            turn, request, self.services.turn, self.speeches, received, keep_hours=self._speech_hours
        )

    @staticmethod
    def name_of(blob: str) -> ClipName | None:
        """The clip whose recording is the *blob*; None when it is no recording of a clip."""
        return clip_name(blob)

    async def close(self) -> None:
        await asyncio.gather(self.storage.close(), self._jobs.close(), self.stt.close())


def _rules(settings: Settings) -> ClipRules:
    return ClipRules(
        upload_seconds=settings.clip_upload_seconds,
        limits=Limits(max_bytes=settings.max_clip_bytes, max_seconds=settings.max_clip_seconds, advice=""),
        at_once=settings.clip_segments,
        stt_seconds=settings.clip_stt_seconds,
        attempts=settings.clip_attempts,
        claim_seconds=settings.clip_claim_seconds,
        long_characters=settings.clip_summary_characters,
        summary_prompt=settings.clip_prompt,
    )
