"""infra/ as a whole, and what it is like with one defect."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import pytest

from tests.conftest import ROOT
from tests.infra.bicep import Call, Choice, Loop, Resource, Template, Value, read

INFRA = ROOT / "infra"
READ = {".bicep", ".bicepparam", ".json", ".kql", ".sh"}


@dataclass(frozen=True, slots=True)
class Break:
    """A defect: *old* made *new*, wherever it stands in *file*."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Infra:
    """The texts of all files, by their paths below infra/."""

    texts: Mapping[str, str]

    def broken(self, defect: Break) -> "Infra":
        text = self.texts[defect.file]
        if defect.old not in text:
            raise LookupError(f"{defect.file} has no {defect.old!r} to break.")
        return Infra({**self.texts, defect.file: text.replace(defect.old, defect.new)})

    def template(self, file: str) -> Template:
        return read(self.texts[file])

    @property
    def templates(self) -> dict[str, Template]:
        return {file: read(text) for file, text in self.texts.items() if file.endswith(".bicep")}

    @property
    def environments(self) -> dict[str, dict[str, Value]]:
        """What each parameter file gives, by the name in its own name."""
        files = sorted(file for file in self.texts if file.endswith(".bicepparam") and file.count(".") == 2)
        return {file.split(".")[1]: self.template(file).variables for file in files}

    def resources(self, kind: str) -> list[Resource]:
        """All that are made of a type."""
        return [resource for resource in self.made() if resource.type == kind]

    def only(self, kind: str) -> Resource:
        """The one that is made of a type."""
        (resource,) = self.resources(kind)
        return resource

    def made(self) -> Iterator[Resource]:
        for template in self.templates.values():
            yield from (resource for resource in template.resources.values() if not resource.existing)


@cache
def infra() -> Infra:
    """infra/ as it is."""
    files = [path for path in INFRA.rglob("*") if path.suffix in READ]
    return Infra({str(path.relative_to(INFRA)): path.read_text() for path in files})


def found(value: Value) -> Iterator[Value]:
    """*value* and every value in it."""
    yield value
    match value:
        case dict():
            inner = list(value.values())
        case list():
            inner = value
        case Call():
            inner = value.arguments
        case Choice():
            inner = [value.then, value.otherwise]
        case Loop():
            inner = [value.over, value.body]
        case _:
            inner = []
    for item in inner:
        yield from found(item)


Rule = Callable[[Infra], None]


def holds_until(*defects: Break) -> Callable[[Rule], Callable[[Break | None], None]]:
    """Makes a rule a test: it holds for infra/, and each of *defects* is enough to break it."""

    def decorated(rule: Rule) -> Callable[[Break | None], None]:
        @pytest.mark.parametrize("defect", [None, *defects], ids=["holds", *(f"breaks-{d.file}" for d in defects)])
        def test(defect: Break | None) -> None:
            if defect is None:
                rule(infra())
                return
            with pytest.raises(AssertionError):
                rule(infra().broken(defect))

        test.__name__, test.__doc__, test.__module__ = rule.__name__, rule.__doc__, rule.__module__
        return test

    return decorated
