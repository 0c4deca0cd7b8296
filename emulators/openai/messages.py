"""The texts of a request's messages."""

from collections.abc import Mapping, Sequence
from typing import Any


def text_of(content: Any) -> str:
    """The text of a message's content: a string, or a list of parts of which some are text."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return " ".join(str(part["text"]) for part in content if isinstance(part, Mapping) and "text" in part)
    return ""


def texts_of(messages: Sequence[Mapping[str, Any]], role: str) -> list[str]:
    """The texts of all messages with *role*, oldest first."""
    return [text_of(message.get("content")) for message in messages if message.get("role") == role]
