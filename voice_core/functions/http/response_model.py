"""The base of all response schemas, and the problem document."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class ResponseModel(BaseModel):
    """A response's members, camelCase in JSON."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, defer_build=True)

    def document(self) -> dict[str, Any]:
        """The members as JSON types, without those that are None."""
        return self.model_dump(by_alias=True, mode="json", exclude_none=True)


class Problem(ResponseModel):
    """An error (RFC 9457), with the results of the turn that were complete before it."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable; branch on this.")
    stage: str | None = None
    retryable: bool = Field(description="Whether the same request may succeed later.")
    retry_after: int | None = Field(
        None, description="Seconds to wait before the next try, as in the header Retry-After."
    )
    request_id: str
    turn_id: str | None = None
    conversation_id: str | None = None
    transcription: str | None = None
    response_text: str | None = None
