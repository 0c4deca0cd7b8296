"""The reply when there is no model: a few skills, and a short reply that says so for everything else.

A reply is the same for the same messages and time. It has one or two sentences, because it is read aloud.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from emulators.openai.dialogue import Dialogue, Reply, Skill
from emulators.openai.messages import texts_of
from emulators.openai.phrases import sentence
from emulators.openai.skills import (
    arithmetic,
    chance,
    clock,
    courtesy,
    dates,
    identity,
    letters,
    names,
    recall,
    units,
    usage,
)

INTRODUCTION = "I am the offline assistant: ask me for the time, a sum, or for help."
"""The second sentence of the first reply of a conversation."""

LONGEST_QUESTION = 400
"""Longest message that is given to the skills, in characters: longer ones are recordings, not questions."""

SKILLS: tuple[Skill, ...] = (
    courtesy.reply,
    names.reply,
    recall.reply,
    identity.reply,
    usage.reply,
    clock.reply,
    dates.reply,
    letters.reply,
    chance.reply,
    units.reply,
    arithmetic.reply,
)
"""The first skill that understands a message replies to it."""

_REQUEST = re.compile(
    r"(?:what|who|whom|whose|when|where|why|which|how|is|are|was|were|am|do|does|did|can|could|will|would|should"
    r"|may|has"
    r"|have|shall|a joke|a story|explain|describe|translate|write|sing|play|read|find|search|show|list|define"
    r"|make|set|turn"
    r"|open|call|remind|recommend|suggest|name|look up|order|book|send|start|talk|say|go on)\b"
)
"""Beginnings of questions and orders, without courtesies."""


def compose(messages: Sequence[Mapping[str, Any]], now: datetime) -> str:
    """Reply to the last user message; *now* is local time."""
    *earlier, message = texts_of(messages, "user") or [""]
    dialogue = Dialogue(message, now, tuple(earlier), tuple(texts_of(messages, "assistant")))
    reply = _reply(dialogue)
    second = reply.hint if dialogue.replies or reply.introduces else INTRODUCTION
    return f"{reply.text} {second}".strip()


def _reply(dialogue: Dialogue) -> Reply:
    if not dialogue.words:
        return Reply("I heard no words.", "Try again, or ask for help.")
    if len(dialogue.message) > LONGEST_QUESTION:
        return _reflection(dialogue)
    for part in _parts(dialogue):
        for skill in SKILLS:
            if reply := skill(part):
                return reply
    return _reflection(dialogue)


def _parts(dialogue: Dialogue) -> Iterator[Dialogue]:
    """The whole message, then its sentences, the last first: "Thanks. What time is it?" is understood in part."""
    yield dialogue
    sentences = re.split(r"(?<=[.!?])\s+", dialogue.message.strip())
    for one in reversed(sentences if len(sentences) > 1 else []):
        part = replace(dialogue, message=one)
        if part.words:
            yield part


def _reflection(dialogue: Dialogue) -> Reply:
    """A repetition of what was heard, for a message that no skill understands."""
    if dialogue.message.rstrip().endswith("?") or _REQUEST.match(dialogue.question):
        hint = "That needs a model; ask what I can do without one."
    else:
        hint = "I can recall that later; ask what else I can do."
    return Reply(f"You said: {sentence(dialogue.message)}", hint)
