"""Rules of the source tree that import-linter cannot express; a test shows for each rule that it can fail."""

import ast
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.conftest import ROOT

Rule = Callable[[Path], list[str]]
"""The breaches in the tree below a folder."""

PACKAGES = ("voice_core", "emulators", "local_host")
SHARED = ("fakes", "benchmarks")
"""Folders that only have to keep to the order of imports."""
LONGEST_FILE = 250
LONGEST_FUNCTION_APP = 15
CATCH_ALLS = {"util", "utils", "helper", "helpers", "common", "core", "manager", "managers"}
"""Module names that say nothing about the contents."""

HOMES = {
    "azure.functions": ("function_app.py", "voice_core/functions/", "local_host/functions", "local_host/blob_trigger"),
    "azurefunctions": ("function_app.py", "voice_core/functions/", "local_host/triggers"),
    "azure.cognitiveservices": ("voice_core/adapters/azure_speech",),
    "azure.cosmos": ("voice_core/adapters/cosmos",),
    "azure.identity": ("voice_core/adapters/entra",),
    "azure.storage": ("voice_core/adapters/blob_storage", "local_host/uploads", "local_host/blob_trigger"),
    "openai": ("voice_core/adapters/azure_openai",),
    "aiortc": ("voice_core/adapters/aiortc_sessions",),
    "jwt": ("voice_core/adapters/openid", "emulators/openid"),
    "cryptography": ("emulators/openid",),
    "azure.monitor": ("voice_core/adapters/open_telemetry",),
    "opentelemetry": ("voice_core/adapters/open_telemetry",),
}
"""Paths, by their beginnings, that may import a vendor's package."""

FORBIDDEN_IMPORTS = {
    "voice_core": ("emulators", "local_host", "fakes", "tests", "benchmarks"),
    "emulators": ("voice_core", "local_host", "fakes", "tests", "benchmarks"),
    "local_host": ("voice_core", "fakes", "tests", "benchmarks"),
    "fakes": ("tests", "benchmarks"),
    "benchmarks": ("tests",),
}

VALUES = {
    *("bytes", "dict", "float", "frozenset", "int", "len", "max", "min", "range", "round", "set", "slice", "sorted"),
    *("str", "sum", "tuple", "type", "zip", "dict.fromkeys", "str.maketrans", "count", "timedelta", "np.zeros"),
    *("AfterValidator", "ConfigDict", "ContextVar", "Field", "ParamSpec", "Path", "TypeVar", "auto", "field"),
    *("ctypes.CFUNCTYPE", "ctypes.POINTER", "func.Blueprint", "json.dumps", "logging.getLogger", "re.compile"),
    "struct.Struct",
    *("Fraction", "Measure", "Topic"),
    *("web.AppKey", "Function", "RawPcm", "Undefined", "Voice", "_between", "_positive"),
}
"""Functions that may be called at import: they return a value and have no side effects."""

OF_CONSTANTS = {"format", "items", "join", "keys", "replace", "split", "values"}
"""Methods that may be called at import."""


def vendors_at_home(root: Path) -> list[str]:
    """Only the handlers import Azure Functions, and only the adapter named for it imports an SDK."""
    return [
        f"{path} imports {name}"
        for path, tree in _modules(root)
        for name in _imported(tree, path)
        for package, homes in HOMES.items()
        if _within(name, package) and not path.as_posix().startswith(homes)
    ]


def forbidden_imports(root: Path) -> list[str]:
    """Product and emulators do not import each other, since only the wire connects them; nothing imports tests."""
    return [
        f"{path} imports {name}"
        for path, tree in _modules(root, (*PACKAGES, *SHARED))
        for name in _imported(tree, path)
        if any(_within(name, forbidden) for forbidden in FORBIDDEN_IMPORTS.get(path.parts[0], ()))
    ]


def no_catch_all_modules(root: Path) -> list[str]:
    """Every module is named for its contents."""
    return [f"{path} is a catch-all" for path, _ in _modules(root) if CATCH_ALLS & {*path.with_suffix("").parts}]


def short_files(root: Path) -> list[str]:
    """Files have at most 250 lines, and function_app.py at most 15, since it only registers functions."""
    lines = {path: len((root / path).read_text().splitlines()) for path, _ in _modules(root)}
    return [
        f"{path} has {count} lines"
        for path, count in lines.items()
        if count > (LONGEST_FUNCTION_APP if path.name == "function_app.py" else LONGEST_FILE)
    ]


def nothing_at_import(root: Path) -> list[str]:
    """Importing a module only defines things; calls by decorators are allowed."""
    return [
        f"{path}:{node.lineno} calls {ast.unparse(node.func)}"
        for path, tree in _modules(root)
        if path.parts[0] in PACKAGES
        for node in _evaluated(tree)
        if isinstance(node, ast.Call) and not _makes_a_value(node.func)
    ]


RULES: tuple[Rule, ...] = (vendors_at_home, forbidden_imports, no_catch_all_modules, short_files, nothing_at_import)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_its_rules(rule: Rule) -> None:
    """The product and its emulators keep every rule."""
    assert rule(ROOT) == []


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (vendors_at_home, "voice_core/usecases/a.py", "import azure.functions as func"),
        (vendors_at_home, "voice_core/wiring/app.py", "from azure import functions"),
        (
            vendors_at_home,
            "voice_core/ports/providers.py",
            "from azurefunctions.extensions.http.fastapi import Request",
        ),
        (vendors_at_home, "voice_core/adapters/a.py", "def f():\n    from openai import AsyncOpenAI"),
        (vendors_at_home, "voice_core/adapters/azure_openai/a.py", "import azure.cosmos.aio"),
        (vendors_at_home, "voice_core/functions/a.py", "from azure.cognitiveservices import speech"),
        (vendors_at_home, "emulators/a.py", "from azure.identity.aio import DefaultAzureCredential"),
        (forbidden_imports, "voice_core/wiring/app.py", "def f():\n    import emulators.speech"),
        (forbidden_imports, "voice_core/functions/a.py", "from tests import sound"),
        (forbidden_imports, "emulators/a.py", "from voice_core.domain.audio import SPEECH_RATE"),
        (forbidden_imports, "emulators/speech/a.py", "from ...voice_core import ports"),
        (forbidden_imports, "emulators/a.py", "from local_host.page import page_routes"),
        (forbidden_imports, "local_host/a.py", "from voice_core.settings import Settings"),
        (forbidden_imports, "fakes/a.py", "from tests.conftest import ROOT"),
        (forbidden_imports, "benchmarks/a.py", "import tests.conftest"),
        (no_catch_all_modules, "voice_core/audio/utils.py", ""),
        (no_catch_all_modules, "emulators/common/a.py", ""),
        (short_files, "voice_core/a.py", "\n" * 251),
        (short_files, "function_app.py", "\n" * 16),
        (nothing_at_import, "voice_core/a.py", "from b import connect\nCLIENT = connect()"),
        (nothing_at_import, "voice_core/a.py", "class A:\n    client = CosmosClient()"),
        (nothing_at_import, "voice_core/a.py", "def f(key=os.environ.get('KEY')): pass"),
        (nothing_at_import, "emulators/a.py", "if True:\n    print('hello')"),
    ],
    ids=lambda value: value.strip() if isinstance(value, str) else value.__name__,
)
def test_a_broken_tree_is_noticed(tmp_path: Path, rule: Rule, path: str, text: str) -> None:
    """Each rule names the one file that breaks it."""
    broken = tmp_path / path
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_text(text)

    assert [breach.split()[0].partition(":")[0] for breach in rule(tmp_path)] == [path]


@pytest.mark.parametrize(
    "text",
    [
        "PATTERN = re.compile('a')",
        "@cache\ndef f():\n    return connect()",
        "LATER = lambda: connect()",
        "if __name__ == '__main__':\n    main()",
    ],
)
def test_definitions_are_allowed_at_import(tmp_path: Path, text: str) -> None:
    """Values, functions, decorators and the start of a program are allowed in a module."""
    (tmp_path / "voice_core").mkdir()
    (tmp_path / "voice_core" / "a.py").write_text(text)

    assert nothing_at_import(tmp_path) == []


def _modules(root: Path, packages: Sequence[str] = PACKAGES) -> Iterator[tuple[Path, ast.Module]]:
    """The modules of *packages* and function_app.py, by their paths below *root*."""
    found = [root / "function_app.py", *(path for package in packages for path in (root / package).rglob("*.py"))]
    for path in filter(Path.exists, found):
        yield path.relative_to(root), ast.parse(path.read_text())


def _imported(tree: ast.Module, path: Path) -> Iterator[str]:
    """The full names of all that a module imports, wherever in it that happens."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = path.parts[: -node.level] if node.level else ()
            base = ".".join([*package, *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}".lstrip(".") for alias in node.names)


def _within(name: str, package: str) -> bool:
    return f"{name}.".startswith(f"{package}.")


def _makes_a_value(function: ast.expr) -> bool:
    return ast.unparse(function) in VALUES or (isinstance(function, ast.Attribute) and function.attr in OF_CONSTANTS)


_NOT_AT_IMPORT: dict[type[ast.AST], tuple[str, ...]] = {
    ast.FunctionDef: ("body", "decorator_list"),
    ast.AsyncFunctionDef: ("body", "decorator_list"),
    ast.ClassDef: ("decorator_list",),
    ast.Lambda: ("body",),
}


def _evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """*node* and all below it that an import evaluates."""
    yield node
    if isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'":
        return
    for name, value in ast.iter_fields(node):
        if name not in _NOT_AT_IMPORT.get(type(node), ()):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _evaluated(child)
