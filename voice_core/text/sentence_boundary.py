"""Whether a mark such as a period ends a sentence, judged by the text before it."""

import re
from enum import Enum, auto

MARKS = frozenset(".!?…。！？｡．।؟۔‼⁇⁈⁉")
"""Marks that may end a sentence."""

UNSPACED_MARKS = frozenset("。！？｡．।؟۔")
"""Marks of scripts that need no space after them."""

CLOSERS = "\"'”’»)]}*_~`」』）】》〉"
OPENERS = "\"'“‘«([{*_~`「『（【《〈"


class Doubt(Enum):
    """The condition on which the end of a sentence still depends."""

    NONE = auto()
    """Nothing: it has ended."""
    PERIOD = auto()
    """Almost nothing: only a letter right after a period would make it part of a name."""
    DOTTED = auto()
    """A name, number or address may continue after the mark: Node.js, example.com, 3.14."""
    NUMBER = auto()
    """The text may continue in small letters after an ordinal: am 3. mai."""
    COUNTED = auto()
    """A number may belong to it: No. 5, Jan. 6."""
    TAIL = auto()
    """An abbreviation that may end a sentence: etc."""
    QUOTED = auto()
    """The mark belongs to a quotation, an aside or emphasis within a sentence, which may continue."""
    WRAPPED = auto()
    """The mark ends the sentence, and a closing mark after it may belong to it."""
    NEVER = auto()
    """An abbreviation, initial or list number that something follows: Dr. Smith."""

    @property
    def early(self) -> bool:
        """True when waiting for the next character is not worth its time."""
        return self in (Doubt.NONE, Doubt.PERIOD)

    def ends(self, following: str, *, spaced: bool) -> bool:
        """Whether the sentence has ended, given the next character and whether white space came before it."""
        match self:
            case Doubt.NONE | Doubt.WRAPPED:
                return True
            case Doubt.PERIOD:
                return spaced or not following.isalnum()
            case Doubt.DOTTED:
                return spaced
            case Doubt.NUMBER | Doubt.QUOTED:
                return spaced and not following.islower()
            case Doubt.COUNTED:
                return spaced and not following.isdigit()
            case Doubt.TAIL:
                return spaced and following.isupper()
            case Doubt.NEVER:
                return False


_NEVER = re.compile(
    "mr|mrs|ms|dr|prof|rev|hon|gen|col|maj|capt|lt|sgt|sen|rep|gov|st|mt|ft|messrs|mme|mlle|fr|hr|sr|sra|srta|ud|uds"
    r"|e\.g|i\.e|vs|cf|viz|al|bzw|resp"
)
_COUNTED = re.compile("nos?|nr|figs?|vol|ch|sec|art|pp|ca|approx|ext|tel|jan|feb|apr|jun|jul|aug|sept|oct|nov|dec")
_TAIL = re.compile(r"etc|inc|ltd|co|corp|jr|bros|dept|est|min|max|hrs|ave|blvd|rd|usw|a\.m|p\.m|ph\.d|b\.c|a\.d")
_STEM = re.compile("www|ph|node|next|vue|three|asp|example|google|github|openai|amazon|microsoft|wikipedia")
"""Words after which a dot and more often follow. A real sentence end after one of them only waits for the space."""

_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")


def doubt_after(text: str) -> Doubt:
    """The doubt right after *text*, which ends in a mark and any closing marks after it."""
    text = text.rstrip(CLOSERS)
    mark = text[-1]
    *before, token = text.split()
    if mark in UNSPACED_MARKS:
        return Doubt.NONE
    if mark == "…" or token.endswith(".."):
        return Doubt.TAIL
    if mark != ".":
        return Doubt.DOTTED if _is_address(token) else Doubt.NONE
    return _doubt_after_period(token.lstrip(OPENERS)[:-1], first=not any(map(str.isalnum, "".join(before))))


def _doubt_after_period(word: str, *, first: bool) -> Doubt:
    lower = word.lower()
    if word[-1:].isdigit():
        return Doubt.NEVER if first and word.isdigit() else Doubt.NUMBER
    for abbreviation, doubt in ((_NEVER, Doubt.NEVER), (_COUNTED, Doubt.COUNTED), (_TAIL, Doubt.TAIL)):
        if abbreviation.fullmatch(lower):
            return doubt
    # Letters without case, as in Chinese, are words, not initials.
    if _INITIALS.fullmatch(word) and lower != word.upper():
        return Doubt.NEVER
    capitals_within = word[1:] != word[1:].lower()
    return Doubt.DOTTED if capitals_within or _STEM.fullmatch(lower) or _is_address(word) else Doubt.PERIOD


def _is_address(token: str) -> bool:
    return "/" in token or "@" in token or "." in token.strip(".")
