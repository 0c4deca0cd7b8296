"""JSON models of the requests and responses of /clips."""

from typing import Literal

from pydantic import Field

from voice_core.functions.http.fields import ConversationId, Language, Phrase
from voice_core.functions.http.request_model import RequestModel
from voice_core.functions.http.response_model import ResponseModel


class ClipRequest(RequestModel):
    """A recording that will be uploaded separately, and how to process it."""

    content_type: str | None = Field(None, max_length=100, pattern=r"^[\x21-\x7e]+( ?; ?[\x21-\x7e]+)*$")
    size_bytes: int = Field(
        0, ge=0, description="Size of the recording, if known: one that is too large is refused now."
    )
    conversation_id: ConversationId | None = Field(None, description="Leave it out to begin a conversation.")
    language: Language | None = Field(None, description="BCP 47 tag of the spoken language.")
    languages: list[Language] = Field([], max_length=4, description="Candidates to detect the language among.")
    phrases: list[Phrase] = Field([], max_length=500, description="Words likely to be said.")
    reply: bool = Field(default=True, description="False: only the transcript is wanted.")
    notes: str = Field("", max_length=2000, description="What the reply should be about, in the user's words.")
    blocks: bool = Field(default=False, description="The upload comes as blocks (Put Block) instead of in one go.")


class ClipPath(RequestModel):
    clip_id: ConversationId


class ClipPart(ClipPath):
    part: Literal["transcript.json", "transcript.txt", "transcript.vtt", "reply.txt"]


class UploadAnswer(ResponseModel):
    """Where and how to upload the recording."""

    url: str = Field(description="Valid for one upload of one blob, by anyone who has it. Use it for nothing else.")
    method: Literal["PUT"]
    headers: dict[str, str] = Field(description="Headers to send with the upload.")
    expires_at: str = Field(description="The upload must have begun by then.")


class ClipProgress(ResponseModel):
    seconds_done: float = Field(description="Seconds of the recording that are transcribed.")
    seconds_total: float | None = Field(None, description="Length of the recording, if known.")


class ClipProblem(ResponseModel):
    code: str = Field(description="Stable error code; branch on this.")
    detail: str
    stage: str | None = None


class ClipLinks(ResponseModel):
    """URLs of the results that are available so far."""

    transcript: str | None = None
    text: str | None = None
    captions: str | None = None
    reply: str | None = None
    speech: str | None = None


class ClipAnswer(ResponseModel):
    clip_id: str
    conversation_id: str
    status: Literal["waiting", "transcribing", "replying", "done", "failed", "expired", "cancelled"]
    created_at: str
    progress: ClipProgress
    upload: UploadAnswer | None = Field(None, description="Only in the response that opened the clip.")
    problem: ClipProblem | None = Field(None, description="Why it failed.")
    degraded: list[Literal["speech"]] = Field([], description="`speech`: the reply could not be spoken.")
    links: ClipLinks


class TimedWordAnswer(ResponseModel):
    text: str
    start_ms: int
    end_ms: int


class TimedPhraseAnswer(TimedWordAnswer):
    """Words spoken without a pause, and their place in the recording."""

    language: str | None = None
    confidence: float | None = None
    words: list[TimedWordAnswer] = Field([], description="The words with their times, if the service reports them.")


class ClipTranscript(ResponseModel):
    """``transcript.json``, as `voice_core.usecases.clip.transcript_files` writes it."""

    clip_id: str
    duration_ms: int = Field(description="Length of the recording.")
    language: str = Field(description="The language spoken for most of the time.")
    text: str
    phrases: list[TimedPhraseAnswer]
