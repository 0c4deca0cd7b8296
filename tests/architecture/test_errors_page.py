"""docs/errors.md and docs/clips.md have every code that an error of the product can have."""

import ast
import re
from collections.abc import Iterator

from tests.conftest import ROOT

PAGES = (ROOT / "docs" / "errors.md", ROOT / "docs" / "clips.md")
CELL = re.compile(r"(?:`|\| )([a-z]+(?:-[a-z0-9]+)*)(?=`| \|)")
"""A code as the pages write one: in backticks, or in a table's cell of its own."""


def _codes(tree: ast.AST) -> Iterator[str]:
    """What a call is given as ``code``, and what a class has as its own."""
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


def test_every_code_is_documented() -> None:
    """A client's author finds whatever `code` may say."""
    raised = {code for file in (ROOT / "voice_core").rglob("*.py") for code in _codes(ast.parse(file.read_text()))}
    documented = {code for page in PAGES for code in CELL.findall(page.read_text())}

    assert {"stage-failed", "too-many-sessions"} <= raised
    assert raised <= documented, sorted(raised - documented)
