"""The values that reach each resource: Bicep values with every name replaced by what it stands for.

Parameters and outputs of modules, variables and loops are resolved. What remains are names of main.bicep's own
parameters and of resources; a resource is written with its name in Azure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from tests.infra.bicep import Call, Choice, Expression, Loop, Resource, Template, Value, read, syntax
from tests.infra.templates import Infra

_MEMBERS = re.compile(r"(?:\.\w+|\[\d+\])*")
_UNKNOWN = object()
_NAMED_FOR_THEMSELVES = {"call_expression", "object_property", "variable_declaration"}
"""Syntax whose first part is no name to follow."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One template, and the values of its names."""

    template: Template
    parent: "Scope | None" = None
    given: Mapping[str, Value] = field(default_factory=dict)
    """Parameters, as expressions of the parent template."""
    modules: dict[str, "Scope"] = field(default_factory=dict)

    def resolved(self, value: Value, turn: Mapping[str, Value] | None = None) -> Value:
        """*value* with its names resolved; *turn* holds the values of loop variables."""
        turn = turn or {}
        match value:
            case dict():
                return {self._key(key, turn): self.resolved(inner, turn) for key, inner in value.items()}
            case list():
                return [self.resolved(inner, turn) for inner in value]
            case Call():
                return Call(value.function, [self.resolved(argument, turn) for argument in value.arguments])
            case Choice():
                return self._choice(value, turn)
            case Loop():
                return self._turns(value, turn)
            case Expression():
                return self._followed(value.source, turn)
        return value

    def _key(self, key: str, turn: Mapping[str, Value]) -> str:
        return written(self._followed(f"'{key}'", turn)).strip("'") if "${" in key else key

    def _choice(self, choice: Choice, turn: Mapping[str, Value]) -> Value:
        condition = self.resolved(read(f"var x = {choice.condition}\n").variables["x"], turn)
        match condition:
            case Call("contains", [dict() as known, str() as key]):
                return self.resolved(choice.then if key in known else choice.otherwise, turn)
        then, otherwise = self.resolved(choice.then, turn), self.resolved(choice.otherwise, turn)
        return Choice(written(condition), then, otherwise)

    def _turns(self, loop: Loop, turn: Mapping[str, Value]) -> Value:
        over, names = self.resolved(loop.over, turn), re.findall(r"\w+", loop.variable)
        if not isinstance(over, list):
            return Loop(loop.variable, over, self.resolved(loop.body, turn))
        # The second name, if there is one, is the index.
        return [
            self.resolved(loop.body, {**turn, **dict(zip(names, (item, number), strict=False))})
            for number, item in enumerate(over)
        ]

    def _followed(self, source: str, turn: Mapping[str, Value]) -> Value:
        """An expression with its names replaced; an expression that is a single name becomes its value."""
        text = source.encode()
        for name in reversed(_names(source)):
            members = _MEMBERS.match(text[name.stop :].decode())
            assert members
            value = self._named(text[name.start : name.stop].decode(), members[0], turn)
            if value is _UNKNOWN:
                continue
            end = name.stop + len(members[0])
            if (name.start, end) == (0, len(text)):
                return value
            if text[: name.start].endswith(b"${") and text[end:].startswith(b"}"):
                text = text[: name.start - 2] + _inlined(value).encode() + text[end + 1 :]
            else:
                text = text[: name.start] + written(value).encode() + text[end:]
        return _literal(text.decode())

    def _named(self, name: str, members: str, turn: Mapping[str, Value]) -> Value:
        path = re.findall(r"\w+", members)
        if name in turn:
            return _member(turn[name], path)
        if self.parent and name in self.template.parameters:
            given = self.parent.resolved(self.given[name]) if name in self.given else Expression(f"(default {name})")
            return _member(given, path)
        if name in self.template.variables:
            value = self.resolved(self.template.variables[name], turn)
            # The result of a function keeps its variable's name, and has a line of its own in the pins.
            return _UNKNOWN if isinstance(value, Call) else _member(value, path)
        if name in self.modules and path[:1] == ["outputs"]:
            module = self.modules[name]
            return _member(module.resolved(module.template.outputs[path[1]]), path[2:])
        if name in self.template.resources:
            return self._of_resource(self.template.resources[name], path)
        return _UNKNOWN

    def _of_resource(self, resource: Resource, path: list[str]) -> Value:
        name = self.resolved(resource.content["name"])
        if path[:1] == ["name"]:
            return _member(name, path[1:])
        return _member(Expression(f"{resource.type.rpartition('/')[2]}({written(name)})"), path)


def main_scope(infra: Infra) -> Scope:
    """The scope of main.bicep, with the scopes of all its modules."""
    main = Scope(infra.template("main.bicep"))
    for symbol, (path, given) in main.template.modules.items():
        main.modules[symbol] = Scope(infra.template(path), main, given)
    return main


def written(value: Value) -> str:
    """A value as Bicep, on one line."""
    match value:
        case None | bool():
            return "null" if value is None else str(value).lower()
        case str():
            return f"'{value}'"
        case dict():
            return "{" + ", ".join(f"{key}: {written(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(written, value)) + "]"
        case Call():
            return f"{value.function}({', '.join(map(written, value.arguments))})"
        case Choice():
            return f"{value.condition} ? {written(value.then)} : {written(value.otherwise)}"
        case Loop():
            return f"[for {value.variable} in {written(value.over)}: {written(value.body)}]"
        case Expression():
            return value.source
    return str(value)


def _literal(source: str) -> Value:
    """A string value if nothing in it is left to resolve, otherwise an expression."""
    return source[1:-1] if re.fullmatch(r"'[^'$\\\\]*'", source) else Expression(source)


def _inlined(value: Value) -> str:
    """A value as it is written within a string."""
    text = written(value)
    if isinstance(value, int):
        return text
    return text[1:-1] if text.startswith("'") else f"${{{text}}}"


def _member(value: Value, path: list[str]) -> Value:
    for name in path:
        match value:
            case dict():
                value = value[name]
            case list():
                value = value[int(name)]
            case _:
                value = Expression(f"{written(value)}[{name}]" if name.isdigit() else f"{written(value)}.{name}")
    return value


@cache
def _names(source: str) -> list[slice]:
    """The places, in bytes, of the names in an expression; functions and keys of objects are no names."""
    head = "var x = "
    found: list[slice] = []
    nodes = [syntax(f"{head}{source}\n")]
    while nodes:
        node = nodes.pop()
        nodes += node.named_children[1:] if node.type in _NAMED_FOR_THEMSELVES else node.named_children
        if node.type == "identifier":
            found.append(slice(node.start_byte - len(head), node.end_byte - len(head)))
    return sorted(found, key=lambda place: place.start)
