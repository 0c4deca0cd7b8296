"""Types of fields that several resources share."""

from typing import Annotated

from pydantic import Field

ConversationId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]

Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]

Phrase = Annotated[str, Field(min_length=1, max_length=200)]
