"""The tokens of a query."""

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from emulators.cosmos.refusals import Refusal
from emulators.cosmos.values import UNDEFINED

Part = TypeVar("Part")

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<parameter>@[A-Za-z_]\w*)
    | (?P<name>[A-Za-z_]\w*)
    | (?P<sign><=|>=|!=|<>|[=<>(),.\[\]*])
    )""",
    re.VERBOSE,
)

_CONSTANTS = {"true": True, "false": False, "null": None, "undefined": UNDEFINED}

_KEYWORD = re.compile(
    "SELECT|DISTINCT|TOP|VALUE|AS|FROM|JOIN|WHERE|AND|OR|NOT|IN|BETWEEN|LIKE|GROUP|ORDER|BY|ASC|DESC|OFFSET|LIMIT",
    re.IGNORECASE,
)

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


@dataclass(frozen=True, slots=True)
class Token:
    """One token; *kind* is name, keyword, parameter, literal, sign or end."""

    kind: str
    text: str
    value: Any = None
    """The value of a literal."""


class Tokens:
    """The tokens of *text*, consumed from left to right."""

    def __init__(self, text: str) -> None:
        self._words = [*_words(text), Token("end", "the end of the query")]
        self._at = 0

    def next(self) -> Token:
        token = self._words[self._at]
        self._at = min(self._at + 1, len(self._words) - 1)
        return token

    def take(self, text: str) -> bool:
        """Consume the next token if it is *text*, ignoring case; return whether it was."""
        token = self._words[self._at]
        found = token.kind != "end" and token.text.upper() == text
        self._at += found
        return found

    def take_any(self, texts: Container[str]) -> str | None:
        """Consume and return the next token if it is a sign among *texts*."""
        token = self._words[self._at]
        return self.next().text if token.kind == "sign" and token.text in texts else None

    def expect(self, text: str) -> None:
        if not self.take(text):
            raise self.error()

    def name(self) -> str:
        token = self.next()
        if token.kind != "name":
            raise self.error(token)
        return token.text

    def listed(self, rule: Callable[[], Part]) -> list[Part]:
        """The results of *rule*, applied once and again after every comma."""
        found = [rule()]
        while self.take(","):
            found.append(rule())
        return found

    def steps(self) -> Iterator[str | int]:
        """The steps after the root of a path: ``.name``, ``["name"]``, ``[0]``."""
        while True:
            if self.take("."):
                yield self._property()
            elif self.take("["):
                yield self._subscript()
            else:
                return

    def alias(self) -> str:
        """The name of the document in the query: the last name of the FROM clause, wherever that is."""
        words = enumerate(self._words)
        # A property of that name, as in c.from, does not count.
        sources = (i for i, word in words if word.text.upper() == "FROM" and self._words[i - 1].text != ".")
        at = next(sources, len(self._words))
        names = self._words[at + 1 : at + 4]
        if len(names) > 2 and names[1].text.upper() == "AS":
            return names[2].text
        if len(names) > 1 and names[1].kind == "name":
            return names[1].text
        return names[0].text if names else ""

    def skip_source(self) -> None:
        """Consume ``c``, ``root c`` or ``root AS c``."""
        self.name()
        if self.take("AS") or self._words[self._at].kind == "name":
            self.name()

    def end(self) -> None:
        if self._words[self._at].kind != "end":
            raise self.error()

    def error(self, token: Token | None = None) -> Refusal:
        found = (token or self._words[self._at]).text
        return Refusal(400, f"Syntax error, or not served by this emulator, near '{found}'.")

    def _property(self) -> str:
        token = self.next()
        if token.kind not in ("name", "keyword"):
            raise self.error(token)
        return token.text

    def _subscript(self) -> str | int:
        token = self.next()
        self.expect("]")
        if token.kind == "literal" and type(token.value) in (str, int):
            step: str | int = token.value
            return step
        raise self.error(token)


def _words(text: str) -> Iterator[Token]:
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if not match:
            raise Refusal(400, f"Syntax error near '{text[at : at + 20].strip()}'.")
        yield _token(str(match.lastgroup), match[str(match.lastgroup)])
        at = match.end()


def _token(kind: str, text: str) -> Token:
    if kind == "number":
        return Token("literal", text, float(text) if re.search(r"[.eE]", text) else int(text))
    if kind == "string":
        return Token("literal", text, re.sub(r"\\(u[0-9a-fA-F]{4}|.)", _unescaped, text[1:-1]))
    if kind == "name" and text.lower() in _CONSTANTS:
        return Token("literal", text, _CONSTANTS[text.lower()])
    if kind == "name" and _KEYWORD.fullmatch(text):
        return Token("keyword", text)
    return Token(kind, text)


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if len(code) == 5 else _ESCAPES.get(code, code)
