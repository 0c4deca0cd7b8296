"""Pins of the reviewed infrastructure: one line per property of every resource and per parameter of every environment.

`python -m tests.infra.pins` writes the files anew. Read the difference: it is what a deployment would change.
"""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from tests.infra.bicep import Call, Choice, Loop, Value
from tests.infra.resolved_template import Scope, main_scope, written
from tests.infra.templates import Infra, found, infra

FOLDER = Path(__file__).with_name("pinned")
STAGES = ("dev", "beta", "prod")
HEAD = (
    "# Reviewed. After a change: python -m tests.infra.pins, and read the difference; it is what a deployment changes."
)


def pins(infra: Infra) -> dict[str, list[str]]:
    """The lines of each file, by its name: a file for main.bicep, for each module, and for all parameter files."""
    main = main_scope(infra)
    outputs = [f"output {name} = {written(main.resolved(value))}" for name, value in main.template.outputs.items()]
    files = {symbol: list(_template(scope)) for symbol, scope in main.modules.items()}
    files |= {"main": [*_template(main), *outputs], "environments": list(_environments(infra.environments))}
    return {name: [HEAD, *lines] for name, lines in files.items()}


def reviewed() -> dict[str, list[str]]:
    return {path.stem: path.read_text().splitlines() for path in FOLDER.glob("*.txt")}


def _template(scope: Scope) -> Iterator[str]:
    template = scope.template
    for name, limits in template.limits.items():
        yield from (f"param {name} @{written(limit)}" for limit in limits)
    for name, value in template.variables.items():
        if isinstance(value, Call):
            yield f"var {name} = {written(value)}"
    for symbol, resource in template.resources.items():
        if not resource.existing:
            yield f"resource {symbol} {resource.type}@{resource.version}"
            yield from _lines(symbol, scope.resolved(resource.body))


def _lines(path: str, value: Value) -> Iterator[str]:
    """One line per property, with its path; a value without nested objects stays on one line."""
    match value:
        case dict() if value:
            yield from chain.from_iterable(_lines(f"{path}.{key}", inner) for key, inner in value.items())
        case list() if _is_deep(value):
            for number, inner in enumerate(value):
                yield from _lines(f"{path}[{_label(inner, number)}]", inner)
        case Call("union", arguments) if _is_deep(arguments):
            yield from chain.from_iterable(_lines(path, argument) for argument in arguments)
        case Call(function, arguments) if _is_deep(arguments):
            for number, inner in enumerate(arguments):
                yield from _lines(f"{path}={function}({number})", inner)
        case Choice() if _is_deep([value.then, value.otherwise]):
            yield from _lines(f"{path}(if {value.condition})", value.then)
            yield from _lines(f"{path}(else)", value.otherwise)
        case Loop():
            yield from _lines(f"{path}[for {value.variable} in {written(value.over)}]", value.body)
        case _:
            yield f"{path} = {written(value)}"


def _is_deep(values: list[Value]) -> bool:
    return any(isinstance(inner, dict) and inner for inner in found(values))


def _label(item: Value, number: int) -> str:
    """The item's own name if it has one, so that an item inserted before it does not change its line; else *number*."""
    name = item.get("name", item.get("category")) if isinstance(item, dict) else None
    return str(number) if name is None else re.sub(r"\$\{.*?\}", "*", written(name).strip("'"))


def _environments(environments: dict[str, dict[str, Value]]) -> Iterator[str]:
    """The parameter files side by side."""
    tables = {stage: dict(_flat(environments[stage])) for stage in STAGES}
    yield f"{'':40} {' | '.join(f'{stage:20}' for stage in STAGES)}".rstrip()
    for name in dict.fromkeys(chain.from_iterable(tables.values())):
        values = [tables[stage].get(name, "missing") for stage in STAGES]
        alike = len(set(values)) == 1
        yield f"{name:40} {values[0] if alike else ' | '.join(f'{value:20}' for value in values)}".rstrip()


def _flat(environment: dict[str, Value]) -> Iterator[tuple[str, str]]:
    for name, value in environment.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{key}", written(inner)) for key, inner in value.items())
        else:
            yield name, written(value)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.txt"):
        path.unlink()
    for name, lines in pins(infra()).items():
        (FOLDER / f"{name}.txt").write_text("\n".join(lines) + "\n")
