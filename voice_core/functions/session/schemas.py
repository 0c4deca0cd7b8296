"""The JSON documents of /session: requests and responses."""

from typing import Literal

from pydantic import Field

from voice_core.functions.http.fields import ConversationId, Language, Phrase
from voice_core.functions.http.request_model import RequestModel
from voice_core.functions.http.response_model import ResponseModel
from voice_core.functions.turn.schemas import ResponseFormat


class Offer(RequestModel):
    type: Literal["offer"] = "offer"
    sdp: str


class SessionRequest(RequestModel):
    """A request for a WebRTC session; without an offer, for its preparation."""

    query: str | None = Field(None, description="The text of the first turn; its reply is spoken.")
    conversation_id: ConversationId | None = Field(None, description="Leave it out to begin a conversation.")
    offer: Offer | None = None
    voice: str | None = Field(None, max_length=100, description="A name from /voices.")
    language: Language | None = Field(None, description="BCP 47 tag of the spoken language.")
    phrases: list[Phrase] = Field([], max_length=500, description="Words likely to be said.")
    hands_free: bool = Field(
        default=False, description="Listen all the time, and detect where utterances begin and end."
    )


class SessionPath(RequestModel):
    session_id: ConversationId


class IceServerAnswer(ResponseModel):
    """An ICE server in the format of RTCPeerConnection's configuration."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class SessionAudio(ResponseModel):
    """The audio formats of /process, for a client that cannot connect."""

    recordings: list[str]
    response_formats: list[ResponseFormat]
    sample_rate: int = Field(description="Hertz of uncompressed speech.")


class SessionReadyAnswer(ResponseModel):
    """The data that a client needs before it creates its offer."""

    conversation_id: str = Field(description="The conversation, for the session and for /process.")
    ice_servers: list[IceServerAnswer]
    audio: SessionAudio


class SdpAnswer(ResponseModel):
    type: Literal["answer"]
    sdp: str


class SessionAnswer(ResponseModel):
    session_id: str
    conversation_id: str
    answer: SdpAnswer
    ice_servers: list[IceServerAnswer]
    expires_at: str


class SessionStateAnswer(ResponseModel):
    session_id: str
    conversation_id: str
    state: Literal["negotiating", "connected", "listening", "thinking", "speaking", "closed"]
    reason: str | None = Field(None, description="The reason why the session was closed.")
    expires_at: str
