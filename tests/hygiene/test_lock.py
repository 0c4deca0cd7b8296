"""The lock file: the chosen packages at their versions, with their hashes, and nothing else."""

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
    """All Python versions that the project supports."""
    supported = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    first, beyond = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", supported).groups()  # type: ignore[union-attr]
    return [f"3.{minor}" for minor in range(int(first), int(beyond))]


def applies_to(python: str, requirement: Requirement) -> bool:
    """Whether *requirement* applies to *python* on Azure's machines."""
    machine = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    machine |= {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    return requirement.marker is None or requirement.marker.evaluate(machine)


@pytest.mark.parametrize("python", pythons())
def test_the_lock_has_the_chosen_versions(python: str) -> None:
    """Each pin of requirements.in is in requirements.txt, which `make lock` regenerates."""
    pins = {one.name.lower().replace("_", "-"): one.specifier for one in locked() if applies_to(python, one)}

    for requirement in chosen():
        if applies_to(python, requirement):
            assert pins[requirement.name.lower()] == requirement.specifier, requirement


@pytest.mark.parametrize("python", pythons())
def test_each_package_has_one_version(python: str) -> None:
    """A package has one line for each Python, also where its version depends on the Python."""
    names = [one.name for one in locked() if applies_to(python, one)]

    assert len(names) == len(set(names))


def test_every_package_has_hashes() -> None:
    """Only files that existed when the lock was generated can be installed."""
    for requirement, hashes in locked().items():
        assert str(requirement.specifier).startswith("=="), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), requirement


def test_requirements_name_no_index() -> None:
    """The requirement files name no package index: the build machine chooses it."""
    for path in sorted(ROOT.glob("requirements*")):
        options = [line for line in path.read_text().splitlines() if line.startswith("-")]
        assert all(line.startswith("-r requirements") for line in options), path
        assert "://" not in path.read_text(), path


def test_every_chosen_package_has_a_reason() -> None:
    """Each line of the hand-written requirement files says what the package is for."""
    chosen_files = {*ROOT.glob("requirements*.in")}
    locks = {path.with_suffix(".txt") for path in chosen_files}
    for path in chosen_files | ({*ROOT.glob("requirements*.txt")} - locks):
        lines = [line for line in path.read_text().splitlines() if re.match(r"\w", line)]
        assert all(re.search(r"==\S+.* # \w", line) for line in lines), path
