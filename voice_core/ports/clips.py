"""What the work on clips, and keeping speech, need of the world besides `ports`. The same holds here for errors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from voice_core.domain.clip import Clip, ClipName, Recording, Slot
    from voice_core.domain.speech import SpeechName, StoredSpeech


class Clips(Protocol):
    """The jobs of clips. All raise StageFailed with stage ``clips``."""

    async def add(self, clip: Clip) -> Clip:
        """Keep a new job; gives it with its version."""

    async def get(self, name: ClipName) -> Clip:
        """The job as it is now.

        Raises:
            NotFound: ``clip-not-found``.
        """

    async def replace(self, clip: Clip) -> Clip:
        """Keep a job that was changed; gives it with its new version.

        Raises:
            Conflict: somebody else has changed it since it was read, or it is gone.
        """

    async def of_conversation(self, user_id: str, conversation_id: str) -> Sequence[ClipName]:
        """The clips that belong to a conversation, however they ended."""


class Recordings(Protocol):
    """What is uploaded. All raise StageFailed with stage ``storage``."""

    async def slot(self, name: ClipName, until: datetime, *, in_blocks: bool) -> Slot:
        """Permission for one upload that begins before *until*; *in_blocks* as a list of blocks, else in one go."""

    async def find(self, name: ClipName) -> Recording:
        """What has been uploaded.

        Raises:
            NotFound: ``recording-missing``.
        """

    async def read(self, recording: Recording, start: int, count: int) -> bytes:
        """*count* bytes of it, from the offset *start* on.

        Raises:
            NotFound: ``recording-missing``; it is there no more.
            Conflict: ``recording-changed``; another version is there.
        """

    async def delete(self, name: ClipName) -> None:
        """Forget it; succeeds when there is none."""


class Artefacts(Protocol):
    """What is made of clips, by names under the clip's own. All raise StageFailed with stage ``storage``."""

    async def put(self, clip: ClipName, name: str, data: bytes) -> None:
        """Keep *data*; what is there already is replaced."""

    async def get(self, clip: ClipName, name: str) -> bytes:
        """What was put.

        Raises:
            NotFound: ``artefact-missing``.
        """

    async def names(self, clip: ClipName, prefix: str) -> Sequence[str]:
        """The names that begin with *prefix*, in order."""

    async def delete(self, clip: ClipName) -> None:
        """Forget all that was made of the clip."""


class Speeches(Protocol):
    """Speech that is kept for players to fetch. All raise StageFailed with stage ``storage``."""

    async def begin(self, name: SpeechName) -> None:
        """Keep none of it so far."""

    async def append(self, name: SpeechName, start: int, pcm: bytes) -> None:
        """Keep some more, whole samples, after the *start* bytes that are kept; done twice, it is done once."""

    async def finish(self, name: SpeechName) -> None:
        """There is no more."""

    async def find(self, name: SpeechName) -> StoredSpeech:
        """How much there is.

        Raises:
            NotFound: ``speech-not-found``.
        """

    async def read(self, name: SpeechName, start: int, count: int) -> bytes:
        """*count* bytes of the PCM, from the offset *start* on."""

    async def encoded(self, name: SpeechName, audio_format: str) -> int:
        """Bytes of the whole speech in *audio_format*, once it was put.

        Raises:
            NotFound: ``speech-not-found``.
        """

    async def put_encoded(self, name: SpeechName, audio_format: str, data: bytes) -> None:
        """Keep the whole speech in *audio_format*, unless it is kept already."""

    async def read_encoded(self, name: SpeechName, audio_format: str, start: int, count: int) -> bytes:
        """*count* bytes of it, from the offset *start* on."""

    async def delete(self, user_id: str, conversation_id: str, turn_id: str = "") -> None:
        """Forget the speech of a turn, or of all turns of the conversation."""
