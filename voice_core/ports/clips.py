"""Ports of clips and of stored speech. Errors as in `ports.providers`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from voice_core.domain.clip import Clip, ClipName, Recording, UploadPermission
from voice_core.domain.speech import SpeechName, StoredSpeech


class Clips(Protocol):
    """The jobs of clips. All raise StageFailed with stage ``clips``."""

    async def add(self, clip: Clip) -> Clip:
        """Store a new job; returns it with its version."""

    async def get(self, name: ClipName) -> Clip:
        """The job as it is now.

        Raises:
            NotFound: ``clip-not-found``.
        """

    async def replace(self, clip: Clip) -> Clip:
        """Store a changed job; returns it with its new version.

        Raises:
            Conflict: the job has been changed since it was read, or it no longer exists.
        """

    async def of_conversation(self, user_id: str, conversation_id: str) -> Sequence[ClipName]:
        """The clips that belong to a conversation, however they ended."""


class Recordings(Protocol):
    """Uploaded recordings. All raise StageFailed with stage ``storage``."""

    async def allow_upload(self, name: ClipName, until: datetime, *, in_blocks: bool) -> UploadPermission:
        """Permission for one upload that begins before *until*: as a list of blocks (*in_blocks*) or in one request."""

    async def find(self, name: ClipName) -> Recording:
        """The recording that has been uploaded.

        Raises:
            NotFound: ``recording-missing``.
        """

    async def read(self, recording: Recording, start: int, count: int) -> bytes:
        """*count* bytes of it, from the offset *start* on.

        Raises:
            NotFound: ``recording-missing``; it no longer exists.
            Conflict: ``recording-changed``; there is another version.
        """

    async def delete(self, name: ClipName) -> None:
        """Delete it; succeeds when there is none."""


class Artefacts(Protocol):
    """Files derived from clips, by names below the clip's own. All raise StageFailed with stage ``storage``."""

    async def put(self, clip: ClipName, name: str, data: bytes) -> None:
        """Store *data*; an existing file is replaced."""

    async def get(self, clip: ClipName, name: str) -> bytes:
        """The stored file.

        Raises:
            NotFound: ``artefact-missing``.
        """

    async def names(self, clip: ClipName, prefix: str) -> Sequence[str]:
        """The names that begin with *prefix*, in order."""

    async def delete(self, clip: ClipName) -> None:
        """Delete all files of the clip."""


class Speeches(Protocol):
    """Stored speech, which players fetch. All raise StageFailed with stage ``storage``."""

    async def begin(self, name: SpeechName) -> None:
        """Create the speech, empty."""

    async def append(self, name: SpeechName, start: int, pcm: bytes) -> None:
        """Append *pcm*, whole samples, after the *start* bytes that are stored. Idempotent."""

    async def finish(self, name: SpeechName) -> None:
        """Mark the speech as complete."""

    async def find(self, name: SpeechName) -> StoredSpeech:
        """The size of the speech, and whether it is complete.

        Raises:
            NotFound: ``speech-not-found``.
        """

    async def read(self, name: SpeechName, start: int, count: int) -> bytes:
        """*count* bytes of the PCM, from the offset *start* on."""

    async def encoded(self, name: SpeechName, audio_format: str) -> int:
        """Size in bytes of the complete speech in *audio_format*, if it is stored.

        Raises:
            NotFound: ``speech-not-found``.
        """

    async def put_encoded(self, name: SpeechName, audio_format: str, data: bytes) -> None:
        """Store the complete speech in *audio_format*, unless it is stored already."""

    async def read_encoded(self, name: SpeechName, audio_format: str, start: int, count: int) -> bytes:
        """*count* bytes of it, from the offset *start* on."""

    async def delete(self, user_id: str, conversation_id: str, turn_id: str = "") -> None:
        """Delete the speech of a turn, or of all turns of the conversation."""
