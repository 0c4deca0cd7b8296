"""Spelling a word, and counting its letters or the words of a text."""

import re

from emulators.openai.dialogue import Dialogue, Reply
from emulators.openai.phrases import capitalized, counted
from emulators.openai.skills.recall import NOTHING_SAID

LONGEST_WORD = 30
"""Longest word that is spelled, in letters."""

_WORD = r"(?:the )?(?:words? |name )?(?P<word>[^\W_]+(?:'[^\W_]+)?)"
_SPELL = re.compile(
    rf"(?:spell(?: out)?|how (?:do|would|can|should) (?:you|i|we|one) (?:spell|write)"
    rf"|how is(?=.* (?:spelled|spelt|written))|what is the spelling of|the spelling of)"
    rf" {_WORD}(?: spell(?:ed|t)| written)?"
)
_BACKWARDS = re.compile(
    rf"(?:spell|say|reverse|what is|write) {_WORD}(?: spell(?:ed|t))? ?(?P<back>backwards?|in reverse|reversed)?"
)
_LETTERS = re.compile(
    rf"(?:how many (?:letters|characters) (?:(?:are|is|there|does|do|has) ?)*(?:in |has )?"
    rf"|count the letters (?:in|of) |the number of letters in ){_WORD}"
    r"(?: have| has| contain)?"
)
_OCCURRENCES = re.compile(
    rf"how many (?:times (?:is|does) )?(?:the )?(?:letters? )?(?P<letter>[^\W\d_])(?:'?s|s)? (?:(?:are|is|there"
    rf"|does|do|occur|appear|s) )*(?:in )?{_WORD}"
    r"(?: have| has| contain)?"
)
_VOWELS = re.compile(rf"how many vowels (?:are |does |has )?(?:there )?(?:in )?{_WORD}(?: have)?")
_WORDS = re.compile(
    r"(?:how many words (?:(?:are|is|there|does|do|has) ?)*(?:in |has )(?:the (?:sentence|text|phrase) )?"
    r"|count the words (?:in|of) (?:the (?:sentence|text|phrase) )?"
    r"|how many words (?=did i |have i ))"
    r"(?P<text>.+)"
)
_MY_WORDS = re.compile(
    r"(?:did|have) i (?:just )?(?:say|said|use|used)"
    r"|(?:that|this|it|my last (?:message|sentence)|what i (?:just )?said)"
)


def reply(dialogue: Dialogue) -> Reply | None:
    """A word letter by letter, or a number of letters or words."""
    question = dialogue.question
    if match := _WORDS.fullmatch(question):
        return _word_count(match["text"], dialogue)
    if match := _LETTERS.fullmatch(question):
        return Reply(f"{_quoted(match['word'])} has {counted(_length(match['word']), 'letter')}.")
    if match := _VOWELS.fullmatch(question):
        vowels = sum(match["word"].count(letter) for letter in "aeiou")
        return Reply(f"{_quoted(match['word'])} has {counted(vowels, 'vowel')}.")
    if match := _OCCURRENCES.fullmatch(question):
        number = match["word"].count(match["letter"])
        return Reply(f"{_quoted(match['word'])} has the letter {match['letter'].upper()} {counted(number, 'time')}.")
    if (match := _BACKWARDS.fullmatch(question)) and match["back"]:
        return _spelled(match["word"], match["word"][::-1], " backwards")
    if match := _SPELL.fullmatch(question):
        return _spelled(match["word"], match["word"])
    return None


def _spelled(word: str, letters: str, way: str = "") -> Reply:
    if len(word) > LONGEST_WORD:
        return Reply("That word is too long to spell aloud.")
    return Reply(f"{_quoted(word)}{way} is spelled {', '.join(letters.upper())}.")


def _word_count(text: str, dialogue: Dialogue) -> Reply | None:
    if _MY_WORDS.fullmatch(text):
        if not dialogue.earlier:
            return Reply(NOTHING_SAID)
        return Reply(f"Your last message had {counted(len(dialogue.earlier[-1].split()), 'word')}.")
    return Reply(f"That has {counted(len(text.split()), 'word')}.")


def _length(word: str) -> int:
    return sum(letter.isalnum() for letter in word)


def _quoted(word: str) -> str:
    return capitalized(word) if len(word) <= LONGEST_WORD else "That word"
