"""The base of all response schemas, and the problem document."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class ResponseModel(BaseModel):
    """Something we answer."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, defer_build=True)

    def document(self) -> dict[str, Any]:
        """As JSON types, without what is not there."""
        return self.model_dump(by_alias=True, mode="json", exclude_none=True)


class Problem(ResponseModel):
    """What went wrong (RFC 9457), and what had been done before."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable; branch on this.")
    stage: str | None = None
    retryable: bool = Field(description="Whether the same request may succeed later.")
    retry_after: int | None = Field(None, description="After so many seconds, as in the header Retry-After.")
    request_id: str
    turn_id: str | None = None
    conversation_id: str | None = None
    transcription: str | None = None
    response_text: str | None = None
