"""Fixed replies to questions on a topic."""

import re
from collections.abc import Sequence

from emulators.openai.dialogue import Dialogue, Reply


class Topic:
    """The questions on one topic, as patterns of the whole question, and the reply to them."""

    def __init__(self, questions: Sequence[str], text: str, hint: str = "", *, introduces: bool = False) -> None:
        self._questions = re.compile("|".join(questions))
        self._reply = Reply(text, hint, introduces=introduces)

    def reply(self, dialogue: Dialogue) -> Reply | None:
        return self._reply if self._questions.fullmatch(dialogue.question) else None


def first_reply(topics: Sequence[Topic], dialogue: Dialogue) -> Reply | None:
    """The reply of the first topic that the question belongs to."""
    return next((reply for topic in topics if (reply := topic.reply(dialogue))), None)
