"""All files of infra/, as they are or with one defect."""

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
    """A defect: every *old* in *file* is replaced by *new*."""

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
        """The parameters of each environment, by the environment's name in the file name."""
        files = sorted(file for file in self.texts if file.endswith(".bicepparam") and file.count(".") == 2)
        return {file.split(".")[1]: self.template(file).variables for file in files}

    def resources(self, kind: str) -> list[Resource]:
        """All resources of a type that the templates create."""
        return [resource for resource in self.created() if resource.type == kind]

    def only(self, kind: str) -> Resource:
        """The only resource of a type that the templates create."""
        (resource,) = self.resources(kind)
        return resource

    def created(self) -> Iterator[Resource]:
        for template in self.templates.values():
            yield from (resource for resource in template.resources.values() if not resource.existing)


@cache
def infra() -> Infra:
    """The files of infra/ as they are."""
    files = [path for path in INFRA.rglob("*") if path.suffix in READ]
    return Infra({str(path.relative_to(INFRA)): path.read_text() for path in files})


def found(value: Value) -> Iterator[Value]:
    """*value* and every value within it."""
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
    """Turn a rule into a test: it holds for infra/, and each of *defects* breaks it."""

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
