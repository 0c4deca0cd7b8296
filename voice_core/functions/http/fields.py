"""Types of fields that several resources share."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from voice_core.domain.language import LONGEST_TAG, TAG, plain

ConversationId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


def _language(tag: str) -> str:
    if not re.fullmatch(TAG, tag):
        raise ValueError("give a BCP 47 language tag, such as en-US or zh-CN")
    return plain(tag)


Language = Annotated[str, Field(max_length=LONGEST_TAG, json_schema_extra={"pattern": TAG}), AfterValidator(_language)]
"""A BCP 47 tag, of which `domain.language.plain` remains."""

Phrase = Annotated[str, Field(min_length=1, max_length=200)]
