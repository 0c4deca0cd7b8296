"""What is sent and what is answered, as JSON: the source of validation and of /openapi.json."""

from typing import Annotated, Any, Literal

from pydantic import Field

from voice_core.functions.http.fields import ConversationId, Language, Phrase
from voice_core.functions.http.request_model import RequestModel
from voice_core.functions.http.response_model import ResponseModel

ResponseFormat = Literal["pcm", "wav", "mp3", "opus"]
SAYABLE: dict[str, Any] = {"minLength": 1, "pattern": r"\S"}
"""What the contract asks of a text; `spoken_request.typed` sees to it, with codes of its own."""


class AudioInput(RequestModel):
    """An utterance as JSON, and how it is to be heard."""

    audio_data: str | None = Field(None, description="The recording, in base64. Its bytes decide the format.")
    format: str | None = Field(
        None, max_length=100, description="`Pcm16` for headerless PCM; other names are labels that nobody relies on."
    )
    sample_rate: int = Field(24_000, ge=4_000, le=192_000, description="Hertz, of headerless PCM.")
    channels: int = Field(1, ge=1, le=8, description="Of headerless PCM.")
    language: Language | None = Field(None, description="BCP 47 tag of what is spoken.")
    languages: list[Language] = Field([], max_length=4, description="Candidates to detect the language among.")
    phrases: list[Phrase] = Field([], max_length=500, description="Words likely to be said: names, titles, jargon.")


class ProcessRequest(AudioInput):
    """One turn: either `audioData` or `text`."""

    text: str | None = Field(
        None, description="What the user typed, instead of a recording.", json_schema_extra=SAYABLE
    )
    conversation_id: ConversationId | None = Field(None, description="Leave it out to begin a conversation.")
    voice: str | None = Field(None, max_length=100, description="A name from /voices.")
    response_format: ResponseFormat = Field("pcm", description="Of the speech in JSON and events.")
    speech: Literal["inline", "url", "none"] = Field(
        "inline", description="`url`: keep it for players to fetch; `none`: answer with text only."
    )


class TranscribeRequest(AudioInput):
    """An utterance to be heard, nothing more."""


class SpeakRequest(RequestModel):
    """Words to be spoken."""

    text: str = Field(json_schema_extra=SAYABLE)
    voice: str | None = Field(None, max_length=100, description="A name from /voices.")
    response_format: ResponseFormat = Field("pcm", description="Of the speech in a JSON answer.")


class AudioFormat(ResponseModel):
    """What the bytes of some speech are."""

    format: ResponseFormat
    media_type: str
    sample_rate: int = Field(description="Hertz.")
    channels: int = 1
    bits_per_sample: int | None = Field(None, description="Of uncompressed sound; signed little-endian.")


class TurnAnswer(ResponseModel):
    """A turn without its audio."""

    turn_id: str
    conversation_id: str
    transcription: str = Field(description="What the user said or typed.")
    response_text: str = Field(description="What the assistant answers.")
    language: str
    interrupted: bool = False
    degraded: list[Literal["speech", "conversation", "idempotency"]] = Field(
        [],
        description="`speech`: the reply could not be (wholly) spoken. `conversation`: it could not be remembered."
        " `idempotency`: its key could not, so that the same request may be answered anew.",
    )
    timings: dict[str, int] = Field(
        {}, description="Milliseconds a stage; stt, assistant and tts add up to firstAudio."
    )
    speech_url: str | None = Field(default=None, description="Where the speech can be fetched, if that was asked for.")
    clip_id: str | None = Field(None, description="Of the clip that was spoken: it has the whole transcript.")


class ProcessAnswer(TurnAnswer):
    """A whole turn in one JSON document."""

    audio_data: str = Field(description="The speech, in base64; empty when there is none.")
    audio_format: AudioFormat
    duration_ms: int = Field(description="Of the speech.")


class TranscribeAnswer(ResponseModel):
    transcription: str
    language: str
    confidence: float | None = None
    duration_ms: int = Field(description="Of the utterance.")
    format: str | None = Field(None, description="What the recording turned out to be.")


class SpeakAnswer(ResponseModel):
    audio_data: str
    audio_format: AudioFormat
    duration_ms: int


class SpeechPath(RequestModel):
    conversation_id: ConversationId
    turn_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class SpeechQuery(RequestModel):
    format: Literal["wav", "mp3", "opus"] | None = Field(None, description="Instead of an Accept header.")
