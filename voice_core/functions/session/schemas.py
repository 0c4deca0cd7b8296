"""What is sent and answered about sessions, as JSON."""

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
    """A WebRTC session; without an offer, its preparation."""

    query: str | None = Field(None, description="Answered aloud as the first turn.")
    conversation_id: ConversationId | None = Field(None, description="Leave it out to begin a conversation.")
    offer: Offer | None = None
    voice: str | None = Field(None, max_length=100, description="A name from /voices.")
    language: Language | None = Field(None, description="BCP 47 tag of what is spoken.")
    phrases: list[Phrase] = Field([], max_length=500, description="Words likely to be said.")
    hands_free: bool = Field(default=False, description="Listen all the time, and find out when somebody speaks.")


class SessionPath(RequestModel):
    session_id: ConversationId


class IceServerAnswer(ResponseModel):
    """As RTCPeerConnection takes it."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class SessionAudio(ResponseModel):
    """What /process takes and gives, for a client that cannot connect."""

    recordings: list[str]
    response_formats: list[ResponseFormat]
    sample_rate: int = Field(description="Hertz, of uncompressed speech.")


class SessionReadyAnswer(ResponseModel):
    """What a client needs before it makes its offer."""

    conversation_id: str = Field(description="May be used for the session, and for /process.")
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
    reason: str | None = Field(None, description="Why it was closed.")
    expires_at: str
