"""Names are nouns, docstrings name their thing, and words that have a standard term are not used."""

from pathlib import Path

import pytest

from tests.architecture.vocabulary import TERMS, breaches
from tests.conftest import ROOT


def test_the_repository_keeps_to_its_terms() -> None:
    """There is no breach in code, tests or documents; each would name the standard term."""
    assert breaches(ROOT) == []


@pytest.mark.parametrize("term", TERMS)
def test_each_term_is_noticed(tmp_path: Path, term: str) -> None:
    """A word with a standard term is found in documents, docstrings, comments and names, with the term to use."""
    name = term.replace(" ", "_")
    (tmp_path / "a.md").write_text(f"It is\n{term} here.\n")
    (tmp_path / "b.py").write_text(f'"""A module.\n\nIt is {term} here."""\n\n# {term}\n{name}_twice = 1\n')
    found = breaches(tmp_path)
    assert [line.partition(": ")[0] for line in found] == ["a.md:2", "b.py:6", "b.py:3", "b.py:5"]
    assert all(TERMS[term] in line for line in found)


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("file", ["a.js", "b.sh", "c.bicep", "d.kql", "Makefile"])
def test_each_term_is_noticed_in_other_sources(tmp_path: Path, term: str, file: str) -> None:
    """A word with a standard term is found in comments, texts and names of JavaScript, shell, Bicep, KQL and make."""
    first, *rest = term.split()
    camel = first + "".join(word.title() for word in rest)
    constant = term if rest else term.upper()
    (tmp_path / file).write_text(f"# It is {term}.\nx = f({camel}Now, '{term}')\n{constant}\n")
    assert [line.partition(": ")[0] for line in breaches(tmp_path)] == [f"{file}:{line}" for line in (1, 2, 2, 3)]


@pytest.mark.parametrize("opening", ["Of", "What", "Who", "Whom", "Whose"])
@pytest.mark.parametrize(
    "source", ['"""{} it is."""\n', 'SIZE = 1\n"""{} a file."""\n', 'def f():\n    """{}, then."""\n']
)
def test_docstrings_that_name_nothing_are_noticed(tmp_path: Path, opening: str, source: str) -> None:
    """A docstring of a module, constant or function that begins with a relative pronoun or a genitive is found."""
    (tmp_path / "a.py").write_text(source.format(opening))
    (line,) = breaches(tmp_path)
    assert f"docstring begins with '{opening}'" in line


@pytest.mark.parametrize("name", ["Said", "Asked", "Kept", "Watching", "Opened", "_Bounded", "Nobody", "Whoever"])
def test_classes_named_by_a_participle_or_pronoun_are_noticed(tmp_path: Path, name: str) -> None:
    """A class is named for a noun."""
    (tmp_path / "a.py").write_text(f"class {name}:\n    pass\n")
    assert any(f"class {name!r} is named by a participle or pronoun" in line for line in breaches(tmp_path))


@pytest.mark.parametrize("name", ["said", "sent", "incoming", "test_seen", "whoever"])
def test_modules_named_by_a_participle_or_pronoun_are_noticed(tmp_path: Path, name: str) -> None:
    """A module is named for a noun."""
    (tmp_path / f"{name}.py").write_text("")
    assert any("is named by a participle or pronoun" in line for line in breaches(tmp_path))


@pytest.mark.parametrize(
    "source",
    [
        "class Recording:\n    pass\n",
        "class BufferedUtterance:\n    pass\n",
        "class StageTimedOut(Exception):\n    pass\n",
        'said = "nobody told somebody"\n',
        '"""The word `told` in code."""\n',
        "foretold = retold = 1\n",
    ],
)
def test_what_is_allowed(tmp_path: Path, source: str) -> None:
    """Nouns in -ing, participles before a noun, exceptions, data and code in backticks are no breach."""
    (tmp_path / "a.py").write_text(source)
    assert breaches(tmp_path) == []
