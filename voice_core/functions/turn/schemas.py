"""The JSON documents of turns, requests and responses: the source of validation and of /openapi.json."""

from typing import Annotated, Any, Literal

from pydantic import Field

from voice_core.functions.http.fields import ConversationId, Language, Phrase
from voice_core.functions.http.request_model import RequestModel
from voice_core.functions.http.response_model import ResponseModel

ResponseFormat = Literal["pcm", "wav", "mp3", "opus"]
SAYABLE: dict[str, Any] = {"minLength": 1, "pattern": r"\S"}
"""The contract of a text: not blank. `functions.http.body.typed` checks it, with error codes of its own."""


class AudioInput(RequestModel):
    """An utterance as JSON, and the options of its recognition."""

    audio_data: str | None = Field(None, description="The recording, in base64. Its format is detected from its bytes.")
    format: str | None = Field(
        None, max_length=100, description="`Pcm16` for headerless PCM; names of other formats have no effect."
    )
    sample_rate: int = Field(24_000, ge=4_000, le=192_000, description="Hertz of headerless PCM.")
    channels: int = Field(1, ge=1, le=8, description="Channels of headerless PCM.")
    language: Language | None = Field(None, description="BCP 47 tag of the spoken language.")
    languages: list[Language] = Field([], max_length=4, description="Candidates from which the language is detected.")
    phrases: list[Phrase] = Field([], max_length=500, description="Words likely to be said: names, titles, jargon.")


class ProcessRequest(AudioInput):
    """One turn: either `audioData` or `text`."""

    text: str | None = Field(
        None, description="The user's typed text, instead of a recording.", json_schema_extra=SAYABLE
    )
    conversation_id: ConversationId | None = Field(None, description="Leave it out to begin a conversation.")
    voice: str | None = Field(None, max_length=100, description="A name from /voices.")
    response_format: ResponseFormat = Field("pcm", description="Format of the speech in JSON and events.")
    speech: Literal["inline", "url", "none"] = Field(
        "inline", description="`url`: store the speech as a file that players can fetch; `none`: reply with text only."
    )


class TranscribeRequest(AudioInput):
    """An utterance to transcribe, without a reply."""


class SpeakRequest(RequestModel):
    """A text to speak."""

    text: str = Field(json_schema_extra=SAYABLE)
    voice: str | None = Field(None, max_length=100, description="A name from /voices.")
    response_format: ResponseFormat = Field("pcm", description="Format of the speech in a JSON response.")


class AudioFormat(ResponseModel):
    """The encoding of speech."""

    format: ResponseFormat
    media_type: str
    sample_rate: int = Field(description="Hertz.")
    channels: int = 1
    bits_per_sample: int | None = Field(None, description="Of uncompressed speech only; signed little-endian.")


class TurnAnswer(ResponseModel):
    """A turn without its audio."""

    turn_id: str
    conversation_id: str
    transcription: str = Field(description="The transcript of the utterance, or the typed text.")
    response_text: str = Field(description="The assistant's reply.")
    language: str
    interrupted: bool = False
    degraded: list[Literal["speech", "conversation", "idempotency"]] = Field(
        [],
        description="`speech`: the reply was not or only partly synthesised. `conversation`: the conversation could not"
        " be read or stored. `idempotency`: the idempotency key could not be stored, so a retry may be a new turn.",
    )
    timings: dict[str, int] = Field(
        {}, description="Milliseconds per stage; stt, assistant and tts add up to firstAudio."
    )
    speech_url: str | None = Field(default=None, description="The URL of the speech file, if one was requested.")
    clip_id: str | None = Field(None, description="The clip of the utterance, which has the complete transcript.")


class FetchedTurn(TurnAnswer):
    """A turn, or what there is of it so far."""

    state: Literal["running", "waiting", "done", "interrupted"] = Field(
        description="`running`: a worker takes it. `waiting`: its worker has died, and it goes on when its events are"
        " fetched or its request is sent again. `interrupted`: it ended early, and nothing continues it."
    )


class ProcessAnswer(TurnAnswer):
    """A complete turn in one JSON document."""

    audio_data: str = Field(description="The speech, in base64; empty when there is none.")
    audio_format: AudioFormat
    duration_ms: int = Field(description="Milliseconds of the speech.")


class TranscribeAnswer(ResponseModel):
    transcription: str
    language: str
    confidence: float | None = None
    duration_ms: int = Field(description="Milliseconds of the utterance.")
    format: str | None = Field(None, description="The detected format of the recording.")


class SpeakAnswer(ResponseModel):
    audio_data: str
    audio_format: AudioFormat
    duration_ms: int


class SpeechPath(RequestModel):
    conversation_id: ConversationId
    turn_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class TurnQuery(RequestModel):
    """How the rest of a turn is delivered. By default as its own request specified."""

    voice: str | None = Field(None, max_length=200, description="The voice of speech that is synthesised now.")
    speech: Literal["none"] | None = Field(None, description="`none`: only the words.")
    response_format: ResponseFormat = Field("pcm", description="The encoding of the speech.")


class SpeechQuery(RequestModel):
    format: Literal["wav", "mp3", "opus"] | None = Field(None, description="The format, instead of an Accept header.")
