"""Words that have a standard term, and names that are no nouns.

`python -m tests.architecture.vocabulary [folder ...]` lists them.

The terms themselves are in docs/glossary.md.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.conftest import ROOT

TERMS: Mapping[str, str] = {
    "told": "reported, returned, notified",
    "tell": "report, return, notify; distinguish",
    "tells": "reports, returns, notifies; distinguishes",
    "telling": "reporting, returning; distinguishing",
    "asked": "requested, called",
    "mend": "fix",
    "mends": "fixes",
    "mended": "fixed",
    "whoever": "the caller, the client, the worker",
    "nobody": "no caller, no client, no worker; no one",
    "somebody": "a caller, another worker, a user",
    "lest": "otherwise",
    "in vain": "without success; pointless",
    "at it": "in progress",
    "let go": "release",
    "lets go": "releases",
    "letting go": "releasing",
    "patience": "timeout",
    "patient": "with a longer timeout",
    "patiently": "with retries, with a longer timeout",
    "besides": "also, in addition",
    "wished": "requested",
    "wishes": "options, settings",
    "to be had": "available",
    "the dead": "failed workers, unavailable services",
    "the living": "healthy services",
    "the sick": "failing services",
    "comes of": "results from",
    "left alone": "suspended",
    "company": "services",
    "recital": "played words",
}
"""Each word, or words, and the terms to use."""

OPENINGS = ("Of", "What", "Who", "Whom", "Whose")
"""A docstring that begins so means nothing in a tooltip: name the thing."""

PARTICIPLES = {
    *(
        "said",
        "told",
        "sent",
        "seen",
        "heard",
        "held",
        "kept",
        "left",
        "lost",
        "made",
        "found",
        "gone",
        "known",
        "spoken",
    ),
    *(
        "fed",
        "fallen",
        "begun",
        "begins",
        "goes",
        "ends",
        "broken",
        "taken",
        "given",
        "written",
        "read",
        "shown",
        "done",
    ),
    *("late", "deaf", "mute", "doomed", "mortal"),
}
PRONOUNS = {"nobody", "somebody", "whoever", "who", "what", "other", "others", "anyone", "everybody", "mine", "these"}
NOUNS = {
    *("decoding", "encoding", "endpointing", "indexing", "nesting", "paging", "recording", "sampling", "serving"),
    *("setting", "speed", "string", "timing", "tracing", "warning", "wiring"),
}
"""Words in -ed and -ing that name a thing."""

STATES = {"misconfigured", "throttled", "unauthenticated", "unreachable", "undefined"}
"""Exceptions and values that are named for a state, as is usual."""

EXEMPT = ("docs/glossary.md", "tests/architecture/vocabulary.py", "tests/architecture/test_vocabulary.py")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_TERM = re.compile(rf"\b({'|'.join(sorted(map(re.escape, TERMS), key=len, reverse=True))})\b", re.IGNORECASE)
_SOURCES = {".bicep", ".css", ".html", ".js", ".kql", ".sh", ".toml", ".yml"}
"""Other source files, whose identifiers, comments and texts are searched alike."""
_CODE = re.compile(r"```.*?```|`[^`\n]*`|https?://\S+|“[^”]*”", re.DOTALL)
"""Code, addresses and quotations in prose."""


def breaches(root: Path, names: Iterator[Path] | None = None) -> list[str]:
    """All breaches in the source files and documents below *root*, as ``path:line: what``."""
    found: list[str] = []
    for path in sorted(names or _files(root)):
        name = path.relative_to(root).as_posix()
        if name in EXEMPT:
            continue
        found += [f"{name}:{line}: {what}" for line, what in _breaches(path, path.read_text(encoding="utf-8"))]
    return found


def _breaches(path: Path, text: str) -> Iterator[tuple[int, str]]:
    if path.suffix == ".py":
        return _python(path, text)
    return _prose(text) if path.suffix == ".md" else _source(text)


def _files(root: Path) -> Iterator[Path]:
    for path in root.rglob("*"):
        if path.suffix not in {".py", ".md", *_SOURCES} and path.name != "Makefile":
            continue
        parts = path.relative_to(root).parts
        if not any(part.startswith(".") or part in {"node_modules", "pinned", "__pycache__"} for part in parts):
            yield path


def _python(path: Path, text: str) -> Iterator[tuple[int, str]]:
    tree = ast.parse(text)
    if path.stem != "__init__" and _no_noun(path.stem.removeprefix("test_")):
        yield 1, f"module {path.stem!r} is named by a participle or pronoun: name it for a noun"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and _no_noun(node.name.lstrip("_")):
            yield node.lineno, f"class {node.name!r} is named by a participle or pronoun: name it for a noun"
    yield from _identifiers(text)
    yield from _docstrings(tree)
    yield from _comments(text)


def _no_noun(name: str) -> bool:
    words = [word.lower() for word in _WORD.findall(name)]
    if len(words) != 1:
        return False
    word = words[0]
    if word in STATES:
        return False
    return word in PARTICIPLES or word in PRONOUNS or (word.endswith(("ed", "ing")) and word not in NOUNS)


def _identifiers(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME:
            for term in _terms(" ".join(_WORD.findall(token.string))):
                yield token.start[0], f"{token.string!r}: instead of {term!r} use {TERMS[term]}"


def _docstrings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Docstrings of modules, classes and functions, and those below constants and fields."""
    for node in ast.walk(tree):
        if not (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        ):
            continue
        first = re.match(r"\s*(\w*)", node.value.value)
        if first and first[1] in OPENINGS:
            yield node.lineno, f"docstring begins with {first[1]!r}: begin with the thing itself"
        yield from ((node.lineno + offset, what) for offset, what in _prose(node.value.value, first=0))


def _comments(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            for term in _terms(_CODE.sub("", token.string)):
                yield token.start[0], f"instead of {term!r} use {TERMS[term]}"


def _prose(text: str, first: int = 1) -> Iterator[tuple[int, str]]:
    plain = _CODE.sub(lambda match: "\n" * match[0].count("\n"), text)
    for number, line in enumerate(plain.split("\n"), first):
        for term in _terms(line):
            yield number, f"instead of {term!r} use {TERMS[term]}"


def _source(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        for term in _terms(" ".join(_WORD.findall(line))):
            yield number, f"instead of {term!r} use {TERMS[term]}"


def _terms(text: str) -> Iterator[str]:
    return (match[0].lower() for match in _TERM.finditer(text))


if __name__ == "__main__":
    folders = sys.argv[1:] or ["."]
    listed = [line for line in breaches(ROOT) if any(folder == "." or line.startswith(folder) for folder in folders)]
    sys.stdout.write("".join(f"{line}\n" for line in listed) + f"{len(listed)} breaches\n")
