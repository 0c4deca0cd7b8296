"""What is deployed: the packages that were chosen, at their versions, by their hashes, and nothing else."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOT

CHOSEN, LOCKED = ROOT / "requirements.in", ROOT / "requirements.txt"


def chosen() -> list[Requirement]:
    lines = (line.partition("#")[0].strip() for line in CHOSEN.read_text().splitlines())
    return [Requirement(line) for line in lines if line]


def locked() -> dict[Requirement, list[str]]:
    """Each package with its hashes."""
    text = re.sub(r"^#.*\n", "", LOCKED.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    packages = {}
    for line in text.splitlines():
        requirement, *hashes = line.split("--hash=")
        packages[Requirement(requirement.strip())] = [each.strip() for each in hashes]
    return packages


def pythons() -> list[str]:
    """All that the project runs on."""
    supported = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    first, beyond = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", supported).groups()  # type: ignore[union-attr]
    return [f"3.{minor}" for minor in range(int(first), int(beyond))]


def on(python: str, requirement: Requirement) -> bool:
    """Whether it is meant for *python* on Azure's machines."""
    machine = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    machine |= {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    return requirement.marker is None or requirement.marker.evaluate(machine)


@pytest.mark.parametrize("python", pythons())
def test_the_lock_has_what_was_chosen(python: str) -> None:
    """Each pin of requirements.in is the one of requirements.txt: `make lock` renews that."""
    pins = {one.name.lower().replace("_", "-"): one.specifier for one in locked() if on(python, one)}

    for requirement in chosen():
        if on(python, requirement):
            assert pins[requirement.name.lower()] == requirement.specifier, requirement


@pytest.mark.parametrize("python", pythons())
def test_each_package_has_one_version(python: str) -> None:
    """Of what differs from Python to Python, one line is for each."""
    names = [one.name for one in locked() if on(python, one)]

    assert len(names) == len(set(names))


def test_every_package_is_known_by_its_hashes() -> None:
    """A file that is not one of those that were there when the lock was made is not installed."""
    for requirement, hashes in locked().items():
        assert str(requirement.specifier).startswith("=="), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), requirement


def test_packages_come_from_wherever_the_builder_looks() -> None:
    """The files name no index: that is the machine's to choose."""
    for path in sorted(ROOT.glob("requirements*")):
        options = [line for line in path.read_text().splitlines() if line.startswith("-")]
        assert all(line.startswith("-r requirements") for line in options), path
        assert "://" not in path.read_text(), path


def test_every_choice_has_its_reason() -> None:
    """Each line of the files that people write says what the package is for."""
    for path in (CHOSEN, *ROOT.glob("requirements-*.txt")):
        lines = [line for line in path.read_text().splitlines() if re.match(r"\w", line)]
        assert all(re.search(r"==\S+.* # \w", line) for line in lines), path
