"""Schemas of conversations and their turns."""

from pydantic import Field

from voice_core.functions.http.fields import ConversationId
from voice_core.functions.http.request_model import RequestModel
from voice_core.functions.http.response_model import ResponseModel
from voice_core.functions.turn.schemas import TurnAnswer


class ListQuery(RequestModel):
    """One page of a list."""

    limit: int = Field(20, ge=1, le=100)
    continuation: str | None = Field(
        None, max_length=4_096, pattern=r"^[A-Za-z0-9_=-]*$", description="The continuation of the previous page."
    )


class ConversationPath(RequestModel):
    conversation_id: ConversationId


class ConversationAnswer(ResponseModel):
    conversation_id: str
    title: str
    turn_count: int
    created_at: str
    updated_at: str


class ConversationsAnswer(ResponseModel):
    conversations: list[ConversationAnswer]
    continuation: str | None = None


class TurnListed(TurnAnswer):
    created_at: str
    spoken: bool


class TurnsAnswer(ResponseModel):
    conversation_id: str
    turns: list[TurnListed] = Field(description="Latest first.")
    continuation: str | None = None
