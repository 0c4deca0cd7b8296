"""The assistant's reply when there is no model. It is short, deterministic, and says that it is a stand-in."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

STAND_IN = "I am an offline stand-in for the assistant."
REFLECTED_WORDS = 40
"""Longest part of a message that the reply repeats, in words."""

_FIRST = re.compile(r"\bwhat did i (just )?(say|ask|tell you) (at )?(the )?(first|beginning|start)\b")
_BEFORE = re.compile(r"\bwhat (did i|was it i|have i) (just )?(say|said|ask|asked|tell you)\b")
_REPEAT = re.compile(r"\b(repeat (that|it|yourself)|say (that|it) again|what did you (just )?say)\b")


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


def compose(messages: Sequence[Mapping[str, Any]]) -> str:
    """Reply to the last user message: two to four sentences that only repeat parts of the conversation."""
    *earlier, now = texts_of(messages, "user") or [""]
    question = " ".join(re.findall(r"[\w']+", now.lower()))
    if not question:
        return f"I did not catch any words. {STAND_IN}"
    if _FIRST.search(question):
        return _recalled("The first thing you said was", earlier[:1])
    if _BEFORE.search(question):
        return _recalled("Before that you said", earlier[-1:])
    if _REPEAT.search(question):
        return _recalled("What I said was", texts_of(messages, "assistant")[-1:])
    return f"You said: {_sentence(now)} {STAND_IN} I can only tell you what I heard."


def _recalled(lead: str, found: Sequence[str]) -> str:
    if not found:
        return f"There is nothing before this in our conversation. {STAND_IN}"
    return f"{lead}: {_sentence(found[0])} {STAND_IN}"


def _sentence(text: str) -> str:
    words = text.split()
    if len(words) > REFLECTED_WORDS:
        return f"{' '.join(words[:REFLECTED_WORDS])}, and so on."
    sentence = " ".join(words)
    return sentence if sentence.endswith((".", "!", "?", "…", "。", "！", "？")) else f"{sentence}."
