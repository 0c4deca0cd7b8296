"""One spelling of the words of a text, so that only words that were misheard count as errors.

The usual method is the English normaliser published with Whisper (Radford et al. 2022, appendix C). These are its rules
as far as the texts of the catalogue need them, with numbers in words instead of digits. They apply to what was said and
to what was recognised alike:

* lower case; no punctuation; a hyphen separates words; annotations in brackets are no words;
* hesitations (uh, um, hmm, mm, mhm) are no words;
* contractions that have one reading are written out (we're, I'm, don't, gonna), and so are titles (Mr., Dr.);
* numbers of up to four digits are words, those from 1100 to 2099 in pairs as in a year;
* British spelling becomes American.
"""

import re

HESITATIONS = frozenset({"uh", "um", "hmm", "mm", "mhm", "mmm"})
WORDS = {
    "mr": "mister", "mrs": "missus", "dr": "doctor", "st": "saint", "prof": "professor",
    "gonna": "going to", "wanna": "want to", "gotta": "got to", "yknow": "you know", "let's": "let us",
    "won't": "will not", "can't": "can not", "cannot": "can not", "alright": "all right",
    "cancelled": "canceled", "colour": "color", "centre": "center", "favourite": "favorite", "grey": "gray",
    "honour": "honor", "neighbour": "neighbor", "realise": "realize", "theatre": "theater", "travelled": "traveled",
}  # fmt: skip
ENDINGS = (("n't", " not"), ("'re", " are"), ("'ve", " have"), ("'ll", " will"), ("'m", " am"))
UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = (
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)  # fmt: skip
YEARS = range(1100, 2100)


def normalised_words(text: str) -> list[str]:
    """The words of *text* in one spelling."""
    plain = re.sub(r"\[[^\]]*\]|<[^>]*>|\([^)]*\)", " ", text.lower().replace("’", "'"))
    found = re.findall(r"[a-z]+(?:'[a-z]+)*|\d+", re.sub(r"(?<=\d),(?=\d{3})", "", plain))
    return [word for part in found if part not in HESITATIONS for word in _spelled(part).split()]


def _spelled(word: str) -> str:
    if word.isdigit():
        return number(int(word)) if len(word) <= 4 and (word == "0" or word[0] != "0") else " ".join(map(_digit, word))
    if word in WORDS:
        return WORDS[word]
    for ending, full in ENDINGS:
        if word.endswith(ending):
            return word.removesuffix(ending) + full
    return word


def _digit(digit: str) -> str:
    return UNITS[int(digit)]


def number(value: int) -> str:
    """*value* in words, at most 9999."""
    if value in YEARS and value % 1000 >= 10:
        rest = value % 100
        return f"{number(value // 100)} {'hundred' if not rest else number(rest) if rest > 9 else 'oh ' + number(rest)}"
    if value >= 1000:
        return f"{number(value // 1000)} thousand {number(value % 1000) if value % 1000 else ''}".strip()
    if value >= 100:
        return f"{UNITS[value // 100]} hundred {number(value % 100) if value % 100 else ''}".strip()
    if value >= 20:
        return f"{TENS[value // 10 - 2]} {UNITS[value % 10] if value % 10 else ''}".strip()
    return UNITS[value]
