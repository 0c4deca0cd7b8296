"""No import goes in a circle, imports for type checkers included."""

import pytest

from scripts.structure import cycles, folded, imports, modules, unused

PACKAGES = ("voice_core", "emulators", "local_host", "fakes")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_imports_itself_in_a_circle(package: str) -> None:
    """Neither modules nor folders import one another in a circle."""
    known = modules(package)
    graph = imports(known)
    assert cycles(graph) == []
    folders = {name.rpartition(".")[0] for name in known if "." in name}
    assert {folder: found for folder in sorted(folders) if (found := cycles(folded(graph, folder)))} == {}


def test_a_circle_is_noticed() -> None:
    """A circle of two or three is found, between modules and between folders; a chain is none."""
    graph = {"p.a.x": {"p.b.y"}, "p.b.y": {"p.b.z"}, "p.b.z": {"p.a.w"}, "p.a.w": set[str]()}
    assert cycles(graph) == []
    assert cycles(folded(graph, "p")) == [["a", "b"]]
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_use_cases_have_few_dependencies_between_subjects() -> None:
    """A reader of the use cases must know eight folders and at most twelve imports between them."""
    level = folded(imports(modules("voice_core")), "voice_core.usecases")
    assert len(level) <= 8
    assert sum(map(len, level.values())) <= 12


def test_nothing_is_defined_and_not_used() -> None:
    """Every function and class is used somewhere, but for methods that Python, a vendor's SDK or its host calls."""
    called_by_others = {"generate_span_id", "generate_trace_id", "seekable", "BlobReferenceConverter", "get_sdk_type"}
    found = {name.rpartition(".")[2] for name in unused(modules("voice_core"))}
    assert {name for name in found if not name.startswith("__")} <= called_by_others
