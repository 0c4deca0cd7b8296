"""Conversations with the offline assistant."""

from datetime import datetime

from emulators.openai.assistant import compose

MONDAY = datetime(2026, 11, 30, 15, 5)
"""A Monday afternoon."""


def reply_to(message: str, *earlier: str, now: datetime = MONDAY) -> str:
    """The reply to *message* after *earlier* messages, alternately of the user and of the assistant.

    Without *earlier*, the conversation has begun with two words, so that the reply has no introduction.
    """
    roles = ("user", "assistant")
    spoken = earlier or ("Begin", "Begun.")
    messages = [{"role": roles[place % 2], "content": text} for place, text in enumerate((*spoken, message))]
    return compose([{"role": "system", "content": "Be brief."}, *messages], now)


def first_reply_to(message: str) -> str:
    """The reply to the first message of a conversation."""
    return compose([{"role": "user", "content": message}], MONDAY)
