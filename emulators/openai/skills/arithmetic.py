"""Sums, as they are typed and as they are spoken."""

import re

from emulators.openai.dialogue import Dialogue, Reply
from emulators.openai.phrases import capitalized
from emulators.openai.skills.calculation import Calculation, UncalculableError
from emulators.openai.skills.numbers import exact, spoken

LONGEST_TOKENS = 60

_LEAD = re.compile(
    r"(?:what do (?:you|i|we) get if (?:you|i|we)|(?:what|how much)(?: (?:is|are|does|do|would be|will be))?(?: the)?"
    r"|(?:the )?(?:result|answer|value) (?:of|to)|calculate|compute|work out|solve|evaluate|find|the)\s+"
)
_TAIL = re.compile(
    r"(?:\s+(?:equals?|equal to|is equal to|makes?|is|gives?|come to|comes to|get|=|what|how much|be|altogether"
    r"|in total))+$"
)
_VERBS = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"(?:add|(?:the )?sum of|(?:the )?total of) (.+) (?:and|to|with) (.+)", r"\1 plus \2"),
        (r"(?:subtract|take(?: away)?|deduct) (.+) from (.+)", r"\2 minus \1"),
        (r"(?:the )?difference (?:between|of) (.+) and (.+)", r"\1 minus \2"),
        (r"(?:multiply|(?:the )?product of) (.+) (?:by|with|and|times) (.+)", r"\1 times \2"),
        (r"divide (.+) (?:by|through) (.+)", r"\1 divided by \2"),
        (r"(?:the )?(?:remainder|rest) (?:of|when) (.+) (?:is )?divided by (.+)", r"\1 modulo \2"),
        (r"(?:the )?(?:average|mean) of (.+) and (.+)", r"( \1 plus \2 ) over 2"),
        (r"(?:the )?square of (.+)", r"\1 squared"),
        (r"(?:the )?cube of (.+)", r"\1 cubed"),
        (r"(?:the )?factorial of (.+)", r"\1 factorial"),
    )
)
_WORDS = {"+": "plus", "-": "minus", "*": "times", "x": "times", "×": "times", "/": "divided by", "÷": "divided by"}


def reply(dialogue: Dialogue) -> Reply | None:
    """The result of a sum, or why it has none."""
    wanted = _sum_of(dialogue.expression)
    expression = wanted
    for pattern, words in _VERBS:
        expression = pattern.sub(words, expression) if pattern.fullmatch(expression) else expression
    tokens = expression.split()
    if not 2 <= len(tokens) <= LONGEST_TOKENS:
        return None
    calculation = Calculation(tokens)
    try:
        value = calculation.value()
    except UncalculableError as refusal:
        return Reply(str(refusal))
    if value is None or not calculation.operations:
        return None
    result = spoken(value) if exact(value) else f"about {spoken(value)}"
    if calculation.rounded:
        result = f"about {spoken(value)}"
    return Reply(f"{_subject(wanted, expression)} is {result}.")


def _sum_of(expression: str) -> str:
    rest = expression
    while lead := _LEAD.match(rest):
        rest = rest[lead.end() :]
    return _TAIL.sub("", rest)


def _subject(wanted: str, expression: str) -> str:
    """The sum in the user's words, if they can be read aloud."""
    if wanted != expression or re.search(r"[()√^]", expression):
        return "The result"
    return capitalized(" ".join(_WORDS.get(token, token) for token in expression.split()))
