"""Cuts text that is still being written into sentences, each as soon as it is complete."""

import re

from voice_core.text.nesting import Nesting
from voice_core.text.sentence_boundary import CLOSERS, MARKS, UNSPACED_MARKS, Doubt, doubt_after

LONGEST_SENTENCE = 250
"""Characters after which a run without an end is cut: some fifteen seconds of speech."""

SHORTEST_CLAUSE = 60
"""Least characters before such a cut when it is made at the end of a clause."""

FENCE = "```"
_CLAUSE_END = re.compile(r"[,;:–—](?=\s)|[、，；：]")


class Sentences:
    """Splits text that arrives in any pieces into sentences; only white space is dropped.

    A sentence is returned with its last character when its end is beyond reasonable doubt, so that speech need not
    wait for the next piece; otherwise the next character decides. The cut does not depend on how the text arrives, with
    one exception: a piece that ends in a plain word and a mark ends a sentence, even if the next begins with ``..`` or
    ``com``.

    Lines end sentences. Fenced code stays in one piece, of any length.
    """

    def __init__(self) -> None:
        self._text = ""
        self._has_words = False
        """Whether the text has a letter or a digit."""
        self._doubt: Doubt | None = None
        self._nesting = Nesting()
        self._code: list[str] = []
        """Fenced code in pieces, from its opening mark on; empty outside."""
        self._code_tail = ""
        """The end of the code, which may be the beginning of its closing mark."""

    def feed(self, text: str) -> list[str]:
        """Read *text*, and return the sentences that are complete now."""
        complete: list[str] = []
        at = 0
        while at < len(text):
            if self._code:
                ended, at = self._take_code(text, at)
                complete += ended
            else:
                complete += self._take(text[at])
                at += 1
        if self._doubt is not None and self._doubt.early:
            complete += self._release()
        return complete

    def finish(self) -> list[str]:
        """End the text, and return the rest of it."""
        if self._code:
            self._text, self._code, self._code_tail = "".join(self._code), [], ""
        rest = self._release()
        self._nesting.clear()
        return rest

    def _take(self, character: str) -> list[str]:
        if character == "\n":
            return self.finish()
        if character.isspace():
            return self._take_space(character)
        complete = self._release() if self._has_ended(character) or character == "•" else []
        self._nesting.take(character, first=not self._has_words)
        self._text += character
        self._has_words = self._has_words or character.isalnum()
        self._judge(character)
        if self._text.endswith(FENCE):
            return complete + self._begin_code()
        return complete + self._cut()

    def _take_space(self, character: str) -> list[str]:
        if self._text:
            self._text += character
        if self._doubt is Doubt.DOTTED:
            return self._release()
        return self._cut()

    def _take_code(self, text: str, start: int) -> tuple[list[str], int]:
        """Read *text* from *start* as code: the code if it ends there, and where *text* goes on."""
        searched = self._code_tail + text[start:]
        found = searched.find(FENCE)
        end = len(text) if found < 0 else start + found + len(FENCE) - len(self._code_tail)
        self._code.append(text[start:end])
        self._code_tail = searched[-(len(FENCE) - 1) :]
        return (self.finish() if found >= 0 else []), end

    def _begin_code(self) -> list[str]:
        self._text = self._text.removesuffix(FENCE)
        before = self.finish()
        self._code = [FENCE]
        return before

    def _has_ended(self, following: str) -> bool:
        """Whether the sentence so far has ended before *following*."""
        if self._doubt is None:
            return False
        spaced = self._text[-1].isspace()
        if not spaced and (following in MARKS or following in CLOSERS):
            return False
        return self._doubt.ends(following, spaced=spaced)

    def _judge(self, character: str) -> None:
        """Set the doubt about the end of the sentence after *character*."""
        closing = self._doubt is not None and character in CLOSERS and not self._text[-2:-1].isspace()
        if not (character in MARKS or closing) or self._text.startswith("|") or not self._has_words:
            self._doubt = None
            return
        self._doubt = doubt_after(self._text)
        if closing and self._nesting.inside and self._doubt not in (Doubt.TAIL, Doubt.NEVER):
            self._doubt = Doubt.QUOTED
        elif self._nesting and self._doubt.early:
            unspaced = self._text.rstrip(CLOSERS)[-1] in UNSPACED_MARKS
            self._doubt = Doubt.WRAPPED if unspaced else Doubt.QUOTED

    def _cut(self) -> list[str]:
        if len(self._text) <= LONGEST_SENTENCE:
            return []
        clauses = [match.end() for match in _CLAUSE_END.finditer(self._text, SHORTEST_CLAUSE, LONGEST_SENTENCE)]
        at = clauses[-1] if clauses else self._text.rfind(" ", 0, LONGEST_SENTENCE) + 1 or LONGEST_SENTENCE
        rest, self._text = self._text[at:].lstrip(), self._text[:at]
        doubt = self._doubt if rest else None
        head = self._release()
        self._text, self._doubt = rest, doubt
        self._has_words = any(map(str.isalnum, rest))
        return head

    def _release(self) -> list[str]:
        sentence, self._text, self._doubt = self._text.strip(), "", None
        self._has_words = False
        self._nesting.next_sentence()
        return [sentence] if sentence else []
