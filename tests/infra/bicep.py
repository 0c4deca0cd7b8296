"""Reads Bicep into Python values, as far as the templates in infra/ use it.

Names and types are not resolved: the compiler does that. Literals become Python values; everything else stays an
`Expression`, `Call`, `Choice` or `Loop`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import tree_sitter
import tree_sitter_bicep

Value = Any
"""str, int, bool, None, dict, list, or one of the classes below."""


class Unreadable(Exception):
    """The text is not valid Bicep."""


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that only a deployment can evaluate."""

    source: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function."""

    function: str
    arguments: list[Value]


@dataclass(frozen=True, slots=True)
class Choice:
    """``condition ? then : otherwise``."""

    condition: str
    then: Value
    otherwise: Value


@dataclass(frozen=True, slots=True)
class Loop:
    """``[for variable in over: body]``."""

    variable: str
    over: Value
    body: Value


@dataclass(frozen=True, slots=True)
class Resource:
    type: str
    """Type without its version."""
    version: str
    existing: bool
    body: Value

    @property
    def content(self) -> dict[str, Value]:
        """The body; of a loop, the body of one iteration."""
        content = self.body.body if isinstance(self.body, Loop) else self.body
        assert isinstance(content, dict)
        return content

    @property
    def properties(self) -> dict[str, Value]:
        properties = self.content["properties"]
        assert isinstance(properties, dict)
        return properties


@dataclass(frozen=True, slots=True)
class Template:
    """The declarations of one file, by their symbols."""

    scope: str = "resourceGroup"
    parameters: dict[str, str] = field(default_factory=dict)
    """Types of the parameters, as written."""
    limits: dict[str, list[Call]] = field(default_factory=dict)
    """Decorators of a parameter that limit its value."""
    types: dict[str, dict[str, str]] = field(default_factory=dict)
    """The properties of object types."""
    variables: dict[str, Value] = field(default_factory=dict)
    """Variables; for a parameter file, its parameters."""
    resources: dict[str, Resource] = field(default_factory=dict)
    modules: dict[str, tuple[str, dict[str, Value]]] = field(default_factory=dict)
    """Path and parameters of each module."""
    outputs: dict[str, Value] = field(default_factory=dict)

    def allowed(self, parameter: str) -> list[Value]:
        """The values that ``@allowed`` lists for a parameter."""
        (allowed,) = (limit.arguments[0] for limit in self.limits[parameter] if limit.function == "allowed")
        assert isinstance(allowed, list)
        return allowed


@cache
def read(text: str) -> Template:
    """The declarations of a template or a parameter file.

    Raises:
        Unreadable: it is not Bicep.
    """
    # The grammar does not support parameter files, so their assignments are read as variables.
    text = re.sub(r"^param (\w+) =", r"var \1 =", text, flags=re.MULTILINE)
    root = syntax(text)
    if root.has_error:
        raise Unreadable(f"No Bicep near line {next(_errors(root)).start_point.row + 1}.")
    template = Template(scope=_scope(root))
    decorators: list[Call] = []
    for node in root.named_children:
        if node.type == "decorators":
            decorators = [_value(_only(decorator)) for decorator in node.named_children]
        elif node.type in _DECLARATIONS:
            _DECLARATIONS[node.type](template, node, decorators)
            decorators = []
    return template


def syntax(text: str) -> tree_sitter.Node:
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language())).parse(text.encode()).root_node


def _scope(root: tree_sitter.Node) -> str:
    for node in root.named_children:
        if node.type == "target_scope_assignment":
            return str(_value(node.named_children[-1]))
    return "resourceGroup"


def _parameter(template: Template, node: tree_sitter.Node, decorators: list[Call]) -> None:
    name = _text(node.named_children[0])
    template.parameters[name] = _text(node.named_children[1])
    template.limits[name] = [decorator for decorator in decorators if decorator.function != "description"]


def _type(template: Template, node: tree_sitter.Node, _decorators: list[Call]) -> None:
    name, shape = node.named_children
    properties = [child for child in shape.named_children if child.type == "object_property"]
    template.types[_text(name)] = {_text(p.named_children[0]): _text(p.named_children[1]) for p in properties}


def _variable(template: Template, node: tree_sitter.Node, _decorators: list[Call]) -> None:
    template.variables[_text(node.named_children[0])] = _value(node.named_children[-1])


def _resource(template: Template, node: tree_sitter.Node, _decorators: list[Call]) -> None:
    name, specification, body = node.named_children
    existing = any(child.type == "existing" for child in node.children)
    kind, _, version = str(_value(specification)).partition("@")
    template.resources[_text(name)] = Resource(kind, version, existing, _value(body))


def _module(template: Template, node: tree_sitter.Node, _decorators: list[Call]) -> None:
    name, path, body = node.named_children
    template.modules[_text(name)] = (str(_value(path)), _value(body)["params"])


def _output(template: Template, node: tree_sitter.Node, _decorators: list[Call]) -> None:
    template.outputs[_text(node.named_children[0])] = _value(node.named_children[-1])


_DECLARATIONS = {
    "parameter_declaration": _parameter,
    "type_declaration": _type,
    "variable_declaration": _variable,
    "resource_declaration": _resource,
    "module_declaration": _module,
    "output_declaration": _output,
}


def _value(node: tree_sitter.Node) -> Value:
    match node.type:
        case "string":
            return _string(node)
        case "number":
            return int(_text(node))
        case "boolean":
            return _text(node) == "true"
        case "null":
            return None
        case "object":
            return dict(_property(child) for child in node.named_children if _is_property(child))
        case "array":
            return [_value(child) for child in node.named_children if child.type != "comment"]
        case "call_expression":
            function, arguments = node.named_children
            return Call(_text(function), [_value(argument) for argument in arguments.named_children])
        case "ternary_expression":
            condition, then, otherwise = node.named_children
            return Choice(_text(condition), _value(then), _value(otherwise))
        case "member_expression" | "subscript_expression" if choice := _leading_choice(node):
            condition, then, otherwise = choice.named_children
            rest = _text(node)[otherwise.start_byte - node.start_byte :]
            return Choice(_text(condition), _value(then), Expression(rest))
        case "for_statement":
            variable, over, body = node.named_children
            return Loop(_text(variable), _value(over), _value(body))
        case _:
            return Expression(_text(node))


def _leading_choice(node: tree_sitter.Node) -> tree_sitter.Node | None:
    """The choice at the head of a chain: the grammar parses ``a ? b : c.d`` as ``(a ? b : c).d``."""
    while node.type in ("member_expression", "subscript_expression"):
        node = node.named_children[0]
    return node if node.type == "ternary_expression" else None


def _string(node: tree_sitter.Node) -> str | Expression:
    if any(child.type == "interpolation" for child in node.named_children):
        return Expression(_text(node))
    return "".join(_text(child).removeprefix("\\") for child in node.named_children)


def _is_property(node: tree_sitter.Node) -> bool:
    """Whether *node* is a property; the grammar uses the same type for nested resources."""
    return node.type == "object_property" and len(node.named_children) > 1


def _property(node: tree_sitter.Node) -> tuple[str, Value]:
    key, value = node.named_children[0], node.named_children[-1]
    return _text(key).strip("'"), _value(value)


def _only(node: tree_sitter.Node) -> tree_sitter.Node:
    (child,) = node.named_children
    return child


def _text(node: tree_sitter.Node) -> str:
    return (node.text or b"").decode()


def _errors(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    if node.is_error or node.is_missing:
        yield node
    for child in node.children:
        yield from _errors(child)
