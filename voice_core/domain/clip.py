"""A recording too long for one request, and the job that makes a transcript and a reply of it."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from voice_core.domain.errors import VoiceError
from voice_core.domain.speech import Hints

Status = Literal["waiting", "transcribing", "replying", "done", "failed", "expired", "cancelled"]

ENDED: frozenset[Status] = frozenset({"done", "failed", "expired", "cancelled"})


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed, as its owner hears of it."""

    code: str
    detail: str
    stage: str | None = None

    @classmethod
    def of(cls, error: VoiceError) -> "Failure":
        return cls(error.code, error.detail, error.stage)


@dataclass(frozen=True, slots=True)
class ClipClaim:
    """Which worker is at it, and until when it must be heard of again."""

    worker: str
    until: datetime
    """UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One clip's job, as it is kept. The recording and what is made of it are elsewhere, under its name."""

    id: str
    user_id: str
    conversation_id: str
    created_at: datetime
    """UTC, as all moments here."""
    upload_until: datetime
    """When the permission to begin an upload ends."""
    hints: Hints = field(default_factory=Hints)
    reply: bool = True
    notes: str = ""
    """What the user wants of the reply."""
    status: Status = "waiting"
    claim: ClipClaim | None = None
    attempts: int = 0
    """How often a worker began, or went on."""
    recording: str = ""
    """The version of the recording that is being worked on."""
    seconds_done: float = 0.0
    seconds_total: float | None = None
    """None until it is known."""
    degraded: tuple[str, ...] = ()
    failure: Failure | None = None
    transcribed: bool = False
    """Its transcript can be read, however the job ended."""
    forgotten: bool = False
    """Its conversation was deleted, and it with it."""
    fingerprint: str = ""
    """Of the request that opened it, when that may be sent again."""
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
        """Whether a worker that may be alive is at it."""
        return self.claim is not None and self.claim.until > now

    def changed(self, **changes: Any) -> "Clip":
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class ClipName:
    """Whose clip, and which."""

    user_id: str
    clip_id: str


@dataclass(frozen=True, slots=True)
class Recording:
    """What was uploaded, in one version."""

    name: ClipName
    version: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Slot:
    """Permission to upload one recording, once."""

    url: str
    headers: dict[str, str]
    """To be sent along."""
    method: str = "PUT"
