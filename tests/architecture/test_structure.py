"""How many parts a reader must know, and that all of them are used; import-linter keeps imports out of circles."""

import grimp

from scripts.structure import edges, unused


def test_use_cases_have_few_dependencies_between_subjects() -> None:
    """A reader of the use cases must know eight parts and at most twelve imports between them."""
    graph = grimp.build_graph("voice_core", cache_dir=None)
    assert len(graph.find_children("voice_core.usecases")) <= 8
    assert 0 < edges(graph, "voice_core.usecases") <= 12


def test_nothing_is_defined_and_not_used() -> None:
    """Every function and class is used somewhere, but for methods that Python, a vendor's SDK or its host calls."""
    called_by_others = {"generate_span_id", "generate_trace_id", "seekable", "BlobReferenceConverter", "get_sdk_type"}
    found = {line.rpartition(" ")[2] for line in unused("voice_core")}
    assert {name for name in found if not name.startswith("__")} <= called_by_others
