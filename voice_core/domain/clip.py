"""A recording too long for one request, and the job that makes a transcript and a reply from it."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from voice_core.domain.errors import VoiceError
from voice_core.domain.speech import Hints

Status = Literal["waiting", "transcribing", "replying", "done", "failed", "expired", "cancelled"]

ENDED: frozenset[Status] = frozenset({"done", "failed", "expired", "cancelled"})


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed, as reported to its owner."""

    code: str
    detail: str
    stage: str | None = None

    @classmethod
    def of(cls, error: VoiceError) -> "Failure":
        return cls(error.code, error.detail, error.stage)


@dataclass(frozen=True, slots=True)
class ClipClaim:
    """The worker that processes the clip, and the time until which it must renew its lease."""

    worker: str
    until: datetime
    """UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One clip's job, as it is stored. The recording and the files derived from it are elsewhere, under its name."""

    id: str
    user_id: str
    conversation_id: str
    created_at: datetime
    """UTC, like all times here."""
    upload_until: datetime
    """When the permission to begin an upload ends."""
    hints: Hints = field(default_factory=Hints)
    reply: bool = True
    notes: str = ""
    """The user's instructions for the reply."""
    status: Status = "waiting"
    claim: ClipClaim | None = None
    attempts: int = 0
    """How often a worker began or resumed the job."""
    recording: str = ""
    """The version of the recording that is being worked on."""
    seconds_done: float = 0.0
    seconds_total: float | None = None
    """None until it is known."""
    counted_ms: int = 0
    """Milliseconds of that version, from its beginning, that have been counted towards the owner's quota of sound."""
    degraded: tuple[str, ...] = ()
    failure: Failure | None = None
    transcribed: bool = False
    """Its transcript can be read, however the job ended."""
    fingerprint: str = ""
    """The fingerprint of the request that opened the clip, if that request is idempotent."""
    etag: str = field(default="", compare=False)
    """Names this version of the job."""

    @property
    def name(self) -> "ClipName":
        return ClipName(self.user_id, self.id)

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    def at(self, now: datetime) -> "Clip":
        """The job as it stands at *now*: an unused slot expires by itself."""
        unused = self.status == "waiting" and now > self.upload_until
        return replace(self, status="expired") if unused else self

    def claimed_at(self, now: datetime) -> bool:
        """Whether a worker that may still be running holds the lease."""
        return self.claim is not None and self.claim.until > now

    def changed(self, **changes: Any) -> "Clip":
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class ClipName:
    """The user and the id of a clip."""

    user_id: str
    clip_id: str


@dataclass(frozen=True, slots=True)
class Recording:
    """An uploaded recording, in one version."""

    name: ClipName
    version: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class UploadPermission:
    """Permission to upload one recording, once."""

    url: str
    headers: dict[str, str]
    """Headers that the upload must have."""
