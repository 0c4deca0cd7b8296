"""The structure in figures: files, import edges, cycles, sizes and definitions that nothing uses.

`python scripts/structure.py [package ...]`; without arguments, of voice_core, emulators, local_host and fakes. Imports
for type checkers and inside functions count like all others.
"""

import ast
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
USERS = ("voice_core", "emulators", "local_host", "fakes", "benchmarks", "tests", "function_app.py", "scripts")
"""Folders and files in which a definition may be used."""

Graph = Mapping[str, set[str]]
DECORATED_IS_USED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def modules(package: str) -> dict[str, Path]:
    """The modules of *package*, by their dotted names."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(known: Mapping[str, Path]) -> Graph:
    """The modules among *known* that each of them imports."""
    graph: dict[str, set[str]] = defaultdict(set)
    for name, path in known.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                within = {f"{node.module}.{alias.name}" for alias in node.names}
                graph[name] |= {module if module in known else node.module for module in within}
            elif isinstance(node, ast.Import):
                graph[name] |= {alias.name for alias in node.names}
    return {name: (targets & known.keys()) - {name} for name, targets in graph.items()}


def folded(graph: Graph, folder: str) -> Graph:
    """The imports between the direct children of *folder*."""
    level: dict[str, set[str]] = defaultdict(set)
    for name, targets in graph.items():
        for target in targets:
            if name.startswith(f"{folder}.") and target.startswith(f"{folder}."):
                one, other = (module[len(folder) + 1 :].split(".")[0] for module in (name, target))
                if one != other:
                    level[one].add(other)
    return level


def cycles(graph: Graph) -> list[list[str]]:
    """The strongly connected components with more than one member."""
    reached = {name: _reachable(graph, name) for name in graph}
    parts = {
        tuple(sorted(other for other in there if name in reached.get(other, ())))
        for name, there in reached.items()
        if name in there
    }
    return [list(part) for part in sorted(parts)]


def _reachable(graph: Graph, start: str) -> set[str]:
    there, waiting = set[str](), [start]
    while waiting:
        for target in graph.get(waiting.pop(), set()) - there:
            there.add(target)
            waiting.append(target)
    return there


def unused(known: Mapping[str, Path]) -> list[str]:
    """Definitions without a decorator whose name occurs once in the repository: a hint, check before you delete."""
    texts = [path.read_text(encoding="utf-8") for folder in USERS for path in _python(ROOT / folder)]
    words = Counter(word for text in texts for word in re.findall(r"\w+", text))
    return [
        f"{name}.{node.name}"
        for name, path in known.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, DECORATED_IS_USED) and not node.decorator_list and words[node.name] == 1
    ]


def _python(path: Path) -> Iterator[Path]:
    return path.rglob("*.py") if path.is_dir() else iter([path] if path.is_file() else [])


def _longest_function(known: Mapping[str, Path]) -> tuple[int, str]:
    return max(
        ((node.end_lineno or 0) - node.lineno + 1, f"{name}.{node.name}")
        for name, path in known.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def _folders(known: Mapping[str, Path]) -> list[str]:
    return sorted({name for name, path in known.items() if path.name == "__init__.py"})


def report(package: str) -> Iterator[str]:
    """The lines about *package*."""
    known = modules(package)
    graph = imports(known)
    texts = {name: path.read_text(encoding="utf-8") for name, path in known.items()}
    length, file = max((text.count("\n"), name) for name, text in texts.items())
    yield f"{package}: {len(known)} files, {sum(map(len, graph.values()))} imports"
    for folder in _folders(known):
        level = folded(graph, folder)
        here = sum(path.parent == known[folder].parent and path.name != "__init__.py" for path in known.values())
        edges = sum(map(len, level.values()))
        yield f"  {folder}: {here} files, {edges} edges between its parts, cycles: {cycles(level) or 'none'}"
    yield f"  longest file: {length} lines, {file}"
    yield "  longest function: {} lines, {}".format(*_longest_function(known))
    yield f"  cycles of modules: {cycles(graph) or 'none'}"
    blocks = sum(len(re.findall(r"^if TYPE_CHECKING:", text, re.MULTILINE)) for text in texts.values())
    yield f"  TYPE_CHECKING blocks: {blocks}"
    yield f"  definitions whose name occurs once: {', '.join(unused(known)) or 'none'}"


if __name__ == "__main__":
    for each in sys.argv[1:] or ["voice_core", "emulators", "local_host", "fakes"]:
        sys.stdout.write("".join(f"{line}\n" for line in report(each)))
