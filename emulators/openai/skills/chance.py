"""Dice, coins and choices, decided by the messages so far: the same conversation has the same luck."""

import re
from hashlib import sha256

from emulators.openai.dialogue import Dialogue, Reply
from emulators.openai.phrases import capitalized, listed
from emulators.openai.skills.numbers import count_of

MOST_DICE = 6
MOST_SIDES = 1000
LARGEST_NUMBER = 10**12

_COIN = re.compile(
    r"(?:toss|flip|throw)(?: (?:a|the|me a|one))? coin(?: again| toss)?|heads or tails|coin (?:toss|flip)"
)
_DICE = re.compile(
    r"(?:roll|throw|cast)(?: me)?(?: (?P<number>a pair of|(?:a )?\w+))??"
    r"(?: (?P<sides>[\w ]+?) sided)?(?: (?P<kind>di(?:c)?e|dies|d (?P<faces>\d+)))(?: again)?"
)
_NUMBER = re.compile(
    r"(?:(?:pick|choose|think of|say|name|generate)(?: me)? )?(?:a )?(?:random )?(?:whole )?number"
    r"(?: (?:between|from) (?P<low>.+?) (?:and|to) (?P<high>.+))?"
)
_CHOICE = re.compile(
    r"(?:choose|pick|decide|select)(?: one)?(?: (?:between|from|of))?:? (?P<options>.+? (?:or|and) .+)"
)


def reply(dialogue: Dialogue) -> Reply | None:
    """A side of a coin, the points of dice, a number, or one of several things."""
    question = dialogue.question
    if _COIN.fullmatch(question):
        return Reply(f"The coin shows {('heads', 'tails')[_luck(dialogue, 2)]}.")
    if dice := _DICE.fullmatch(question):
        return _dice(dialogue, dice["number"] or "a", dice["faces"] or dice["sides"] or "6")
    if number := _NUMBER.fullmatch(question):
        return _number(dialogue, number["low"] or "1", number["high"] or "10")
    if choice := _CHOICE.fullmatch(question):
        options = re.split(r" (?:or|and) ", choice["options"])
        return Reply(f"I choose {options[_luck(dialogue, len(options))]}.")
    return None


def _luck(dialogue: Dialogue, sides: int, turn: int = 0) -> int:
    """A number from 0 to *sides* - 1."""
    said = "\n".join([*dialogue.earlier, *dialogue.replies, dialogue.message, str(turn)])
    return int.from_bytes(sha256(said.encode(errors="replace")).digest()) % sides


def _dice(dialogue: Dialogue, words: str, faces: str) -> Reply | None:
    number = {"the": 1, "some": 2, "a pair of": 2, "two": 2}.get(words) or count_of(words)
    sides = count_of(re.sub(r"^(?:a|an) ", "", faces))
    if number is None or sides is None:
        return None
    if not (1 <= number <= MOST_DICE and 2 <= sides <= MOST_SIDES):
        return Reply(f"I can roll up to {MOST_DICE} dice with 2 to {MOST_SIDES} sides.")
    points = [_luck(dialogue, sides, turn) + 1 for turn in range(number)]
    if number == 1:
        return Reply(f"You rolled {points[0]}.")
    return Reply(f"You rolled {listed([str(point) for point in points])}, which makes {sum(points)}.")


def _number(dialogue: Dialogue, first: str, last: str) -> Reply | None:
    low, high = count_of(first), count_of(last)
    if low is None or high is None or not abs(high - low) <= LARGEST_NUMBER:
        return None
    low, high = min(low, high), max(low, high)
    return Reply(capitalized(f"{low + _luck(dialogue, high - low + 1):,} is my number."))
