"""The user's name, when the user gave it in the conversation."""

import re
from collections.abc import Sequence

from emulators.openai.dialogue import Dialogue, Reply

_WORD = r"[^\W\d_]+(?:['’-][^\W\d_]+)*"
_STOPS = (
    r"(?:and|but|what|who|how|when|where|can|could|please|thanks|thank|so|because|not|by|do|is|nice|my|in|on|the|a|an"
    r"|i|you|we|it|from|at|for|with|tell|this|that|am|are|was|here|speaking|today|now|again|hello|hi"
    r"|later|back|if|to|of)\b"
)
_GIVEN = re.compile(
    r"(?:\bmy (?:first |full )?name(?: is|['’]?s)|\bi(?: am|['’]m) called|\bthe name(?: is|['’]s)"
    r"|(?:^|[.,!?] )(?:you (?:can|may) |please )?call me)"
    rf"\s+(?P<name>(?!{_STOPS}){_WORD}(?:[ ](?!{_STOPS}){_WORD}){{0,2}})",
    re.IGNORECASE,
)
_GREETED = re.compile(
    rf"(?:[Hh]ello|[Hh]i|[Hh]ey)(?: there)?[,.!]? I(?: am|['’]m) (?P<name>(?=[A-Z]){_WORD}(?: (?=[A-Z]){_WORD})?)"
)
"""Only with a capital: "hi I am tired" is no name."""
_QUESTION = re.compile(
    r"(?:(?:what is|what was|say|know|remember|do you remember|you remember|who is|guess) )?my (?:first |full )?name"
    r"(?: is)?(?: again| now)?|what my name (?:is|was)|who am i"
    r"|what (?:am i called|do you call me|did i say my name (?:is|was))"
)
_ABOUT = re.compile(r"(?:what|who|remember|know|guess|say)\b[^.!?]*\bmy name\b", re.IGNORECASE)


def reply(dialogue: Dialogue) -> Reply | None:
    """A welcome by name, or the name that was given."""
    if _QUESTION.fullmatch(dialogue.question):
        name = known_name(dialogue.earlier)
        return Reply(f"Your name is {name}." if name else "You have not said your name in this conversation.")
    name = known_name([dialogue.message])
    if not name:
        return None
    if re.search(r"what is my name$", dialogue.question):
        return Reply(f"Your name is {name}.")
    return Reply(f"Nice to meet you, {name}.", "I will remember your name in this conversation.")


def known_name(messages: Sequence[str]) -> str:
    """The name that was given last; empty: none was given."""
    for message in reversed(messages):
        given = [match["name"] for pattern in (_GREETED, _GIVEN) for match in pattern.finditer(message)]
        if given and not _ABOUT.match(message):
            name = given[-1]
            return name.title() if name.islower() else name
    return ""
