"""Every code that an error of the product can have is documented, and has one plain title."""

import ast
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT
from voice_core.domain.errors import LimitReached
from voice_core.functions.http.problems import problem
from voice_core.functions.http.titles import TITLES, title

PAGES = (ROOT / "docs" / "errors.md", ROOT / "docs" / "clips.md")
CELL = re.compile(r"(?:`|\| )([a-z]+(?:-[a-z0-9]+)*)(?=`| \|)")
"""A code on the pages: in backticks, or alone in a table's cell."""


def _codes(tree: ast.AST) -> Iterator[str]:
    """The ``code`` arguments of calls, and the ``code`` attributes of classes."""
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg="code", value=ast.Constant(value=str(code))):
                yield code
            case ast.ClassDef(body=body):
                yield from (code for statement in body for code in _class_level(statement))


def _class_level(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))):
            yield code


def _raised() -> set[str]:
    return {code for file in (ROOT / "voice_core").rglob("*.py") for code in _codes(ast.parse(file.read_text()))}


def test_every_code_is_documented() -> None:
    """Every `code` that a problem can have is on the pages."""
    raised = _raised()
    documented = {code for page in PAGES for code in CELL.findall(page.read_text())}

    assert {"stage-failed", "too-many-sessions"} <= raised
    assert raised <= documented, sorted(raised - documented)


def test_every_code_has_a_title() -> None:
    """Each code has one title, no title is of a code that does not exist, and no two codes share one."""
    assert set(TITLES) == _raised()
    assert [title for title, count in Counter(TITLES.values()).items() if count > 1] == []


@pytest.mark.parametrize("title", TITLES.values())
def test_titles_are_plain(title: str) -> None:
    """A title is a short phrase that can be searched for in a log: no sentence, no person, no time."""
    assert re.fullmatch(r"[A-Z][A-Za-z0-9 -]{2,39}", title)
    assert not re.search(r"\b(we|you|us|our|your|just now)\b", title, re.IGNORECASE)


def test_a_problem_has_the_title_of_its_code() -> None:
    """The title depends only on the code; a code without a title has the phrase of its status."""
    first, second = (LimitReached(detail, retry_after=1.0) for detail in ("Ten turns a minute.", "An hour of sound."))
    assert problem(first)["title"] == problem(second)["title"] == "Limit reached"
    assert title("brand-new", 404) == "Not found"
