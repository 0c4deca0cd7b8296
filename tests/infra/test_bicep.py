"""The reader of Bicep that the other tests rely on."""

import pytest

from tests.infra.bicep import Call, Choice, Expression, Loop, Unreadable, read


def value(text: str) -> object:
    return read(f"var x = {text}\n").variables["x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'it\\'s'", "it's"),
        ("-1", -1),
        ("true", True),
        ("null", None),
        ("[1, 'a']", [1, "a"]),
        ("{ a: 1, 'x-y': { b: [] } }", {"a": 1, "x-y": {"b": []}}),
        ("a.b", Expression("a.b")),
        ("'${a}/b'", Expression("'${a}/b'")),
        ("guid(a.id, 'b')", Call("guid", [Expression("a.id"), "b"])),
        ("a == 0 ? null : { b: 1 }", Choice("a == 0", None, {"b": 1})),
        ("empty(a.b) ? '' : c.d.e", Choice("empty(a.b)", "", Expression("c.d.e"))),
        ("a ? b : c.d[0].e", Choice("a", Expression("b"), Expression("c.d[0].e"))),
        ("[for a in ['b']: a.c]", Loop("a", ["b"], Expression("a.c"))),
    ],
)
def test_literals_become_values_and_the_rest_stays_source(text: str, expected: object) -> None:
    """Literals become Python values; other expressions keep their source."""
    assert value(text) == expected


def test_declarations_are_read_by_kind() -> None:
    """Scope, parameters with their allowed values, types, resources, modules and outputs are read separately."""
    template = read("""targetScope = 'subscription'
// a comment
@description('which')
@allowed(['a', 'b'])
param one string
type two = {
  @description('what')
  three: int
}
resource four 'A/b@2025-01-01' existing = {
  name: one
  resource five 'c' existing = {
    name: 'default'
  }
}
resource six 'A/b@2025-01-01' = [for each in [1]: {
  name: 'n'
}]
module seven 'm.bicep' = {
  params: {
    eight: four.id
  }
}
output nine string = 'n'
""")
    assert (template.scope, template.parameters) == ("subscription", {"one": "string"})
    assert template.limits == {"one": [Call("allowed", [["a", "b"]])]}
    assert template.allowed("one") == ["a", "b"]
    assert template.types == {"two": {"three": "int"}}
    assert template.resources["four"].existing
    assert template.resources["four"].content == {"name": Expression("one")}
    assert (template.resources["six"].type, template.resources["six"].version) == ("A/b", "2025-01-01")
    assert template.resources["six"].content == {"name": "n"}
    assert template.modules == {"seven": ("m.bicep", {"eight": Expression("four.id")})}
    assert template.outputs == {"nine": "n"}


def test_parameter_files_give_values() -> None:
    """Assignments of a parameter file are read as variables."""
    assert read("using './main.bicep'\nparam a = 'b'\n").variables == {"a": "b"}


def test_invalid_bicep_is_refused() -> None:
    """A file that cannot be parsed raises an error with the line."""
    with pytest.raises(Unreadable, match="line 2"):
        read("var a = 1\nvar b = }\n")
