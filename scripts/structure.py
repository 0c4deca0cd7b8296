"""The structure in figures: files, import edges, sizes, and definitions that nothing uses.

`python scripts/structure.py [package ...]`; without arguments, of voice_core, emulators, local_host and fakes. Imports
for type checkers and inside functions count like all others. import-linter keeps circles out (pyproject.toml).
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PACKAGES = ("voice_core", "emulators", "local_host", "fakes")
USERS = (*PACKAGES, "benchmarks", "tests", "function_app.py", "scripts")
"""Where a definition may be used."""

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def edges(graph: grimp.ImportGraph, folder: str) -> int:
    """The number of imports between the direct children of *folder*, each pair counted once."""
    children = graph.find_children(folder)
    return sum(_direct(graph, one, other) for one in children for other in children - {one})


def _direct(graph: grimp.ImportGraph, one: str, other: str) -> bool:
    """Whether a module in *one* imports a module in *other*."""
    below = graph.find_descendants(other) | {other}
    importers = graph.find_descendants(one) | {one}
    return any(graph.find_modules_directly_imported_by(module) & below for module in importers)


def unused(package: str) -> list[str]:
    """Definitions without a decorator whose name occurs once in the repository, as a hint: look before you delete."""
    texts = [path.read_text(encoding="utf-8") for folder in USERS for path in _python(ROOT / folder)]
    words = Counter(word for text in texts for word in re.findall(r"\w+", text))
    return [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path, tree in _trees(package)
        for node in ast.walk(tree)
        if isinstance(node, DEFINITIONS) and not node.decorator_list and words[node.name] == 1
    ]


def _python(path: Path) -> Iterator[Path]:
    return path.rglob("*.py") if path.is_dir() else iter([path] if path.is_file() else [])


def _trees(package: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / package).rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def report(package: str) -> Iterator[str]:
    """The lines about *package*."""
    graph = grimp.build_graph(package, cache_dir=None)
    trees = list(_trees(package))
    yield f"{package}: {len(trees)} files, {graph.count_imports()} imports"
    for folder in sorted(module for module in graph.modules if graph.find_children(module)):
        yield f"  {folder}: {len(graph.find_children(folder))} parts, {edges(graph, folder)} imports between them"
    length, file = max((len(path.read_text().splitlines()), path.relative_to(ROOT)) for path, _ in trees)
    yield f"  longest file: {length} lines, {file}"
    functions = [
        ((node.end_lineno or 0) - node.lineno + 1, f"{path.relative_to(ROOT)}: {node.name}")
        for path, tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    yield "  longest function: {} lines, {}".format(*max(functions))
    blocks = sum(len(re.findall(r"^if TYPE_CHECKING:", path.read_text(), re.MULTILINE)) for path, _ in trees)
    yield f"  TYPE_CHECKING blocks: {blocks}"
    yield f"  definitions whose name occurs once: {', '.join(unused(package)) or 'none'}"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    for each in sys.argv[1:] or PACKAGES:
        sys.stdout.write("".join(f"{line}\n" for line in report(each)))
