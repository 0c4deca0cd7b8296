"""Words as people type them and as recognisers write them, in one form."""

import re
import unicodedata
from collections.abc import Sequence

REFLECTED_WORDS = 25
"""Longest part of a message that a reply repeats, in words."""

_TOKEN = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?|\.\d+|[^\W\d_]+(?:'[^\W\d_]+)?|[+*/×÷^%()√=-]")
_SYMBOLS = frozenset("+*/×÷^()√=-")

_CONTRACTIONS = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"[’`´]", "'"),
        (r"[−–—]", "-"),
        (r"(?<=[^\W\d_])-(?=[^\W\d_])", " "),
        (r"\b(what|who|how|where|when|name)'?s\b", r"\1 is"),
        (r"\b(that|it|there|he|she|let)'s\b", r"\1 is"),
        (r"\bcan'?t\b", "cannot"),
        (r"\bwon't\b", "will not"),
        (r"n't\b", " not"),
        (r"\b(do|did|does)nt\b", r"\1 not"),
        (r"'re\b", " are"),
        (r"\bi'm\b", "i am"),
        (r"'ll\b", " will"),
        (r"'ve\b", " have"),
        (r"'d\b", " would"),
    )
)

_GREETINGS = r"(?:hello|hi|hey)(?: there| again)?|good (?:morning|afternoon|evening)"
_REQUESTS = (
    r"please|(?:can|could|would|will) you(?: please)?(?: just| quickly)?|tell me|show me|let me know|give me"
    r"|do you (?:happen to )?know|i (?:want|need|would like) to know|i would like you to|i want you to"
    r"|i was wondering"
)
_FILLERS = (
    r"okay|ok|so|well|u+m+|u+h+|er|oh|and|then|now|all right|alright|thanks|thank you|assistant|computer|sorry|just"
)
_OPENING = re.compile(rf"(?:(?:{_GREETINGS}|{_REQUESTS}|{_FILLERS})\s+)+")
_ENDING = re.compile(r"(?:\s+(?:please|for me|thanks|thank you|assistant|computer|right now|at the moment))+$")

_ENDS_OF_SENTENCES = (".", "!", "?", "…", "。", "！", "？")


def tokens_of_speech(text: str) -> list[str]:
    """Words in lower case and written out (``what's`` is ``what is``), numbers, and signs of arithmetic, in order."""
    plain = text.lower()
    for pattern, words in _CONTRACTIONS:
        plain = pattern.sub(words, plain)
    return ["percent" if found == "%" else found.replace(",", "") for found in _TOKEN.findall(plain)]


def without_symbols(tokens: Sequence[str]) -> str:
    return " ".join(token for token in tokens if token not in _SYMBOLS)


def without_courtesies(words: str) -> str:
    """*words* without greetings, requests and fillers at both ends, unless nothing else is left."""
    opening = _OPENING.match(words)
    rest = words[opening.end() :] if opening else words
    return _ENDING.sub("", rest) or rest


def without_accents(words: str) -> str:
    decomposed = unicodedata.normalize("NFKD", words)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def sentence(text: str, most_words: int = REFLECTED_WORDS) -> str:
    """*text* as a sentence: its beginning if it is long, with a mark at its end."""
    words = text.split()
    if len(words) > most_words:
        return f"{' '.join(words[:most_words])}, and so on."
    joined = " ".join(words)
    return joined if joined.endswith(_ENDS_OF_SENTENCES) else f"{joined}."


def capitalized(text: str) -> str:
    """*text* with its first letter as a capital, and the others unchanged."""
    return text[:1].upper() + text[1:]


def listed(parts: Sequence[str]) -> str:
    """*parts* as a spoken list: "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def counted(number: int, singular: str, plural: str = "") -> str:
    """A number with its noun."""
    return f"{number:,} {singular if number == 1 else plural or f'{singular}s'}"
