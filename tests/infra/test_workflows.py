"""What GitHub and azd are told fits the scripts and templates they run."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.conftest import ROOT
from tests.infra.templates import infra

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
INSTALLED = re.compile(r"apt-get install(?: -\S+)*((?: [a-z][\w.-]*)+)")
"""Packages of a line that installs some."""

CI, DEPLOY = ROOT / ".github/workflows/ci.yml", ROOT / ".github/workflows/deploy.yml"


def document(path: Path) -> dict[str, Any]:
    loaded = YAML(typ="safe", pure=True).load(path)
    assert isinstance(loaded, dict)
    return loaded


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in document(path)["jobs"].values() for step in job["steps"]]


def commands(path: Path) -> list[str]:
    return [step["run"] for step in steps(path) if "run" in step]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned(path: Path) -> None:
    """Every action is of a major version or a commit, never a branch."""
    assert all(
        re.fullmatch(r"[\w-]+/[\w-]+@(v\d+|[0-9a-f]{40})", step["uses"]) for step in steps(path) if "uses" in step
    )


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_hold_no_secret(path: Path) -> None:
    """Signing in takes the workflow's own token; nothing is read from the repository's secrets."""
    assert "secrets." not in path.read_text()
    assert document(path)["permissions"]["contents"] == "read"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_input_becomes_a_command(path: Path) -> None:
    """What a person or a pull request chose reaches a shell as a variable, never as its text."""
    assert not [command for command in commands(path) if "${{" in command.replace("${{ matrix.python }}", "")]


def test_ci_tests_both_pythons() -> None:
    """The suite runs on the oldest Python and on the one in Azure, after the checks."""
    jobs = document(CI)["jobs"]
    assert jobs["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    assert "make check" in commands(CI)
    assert "make test-${{ matrix.python }}" in commands(CI)


def test_ci_installs_what_tests_need() -> None:
    """No test is skipped for want of a package that .ci/run installs; the runner brings Chrome."""
    local, remote = (
        {word for line in re.findall(INSTALLED, text) for word in line.split()}
        for text in ((ROOT / ".ci" / "run").read_text(), "\n".join(commands(CI)))
    )
    assert local
    assert local - {"chromium"} <= remote


def test_what_is_deployed_is_audited() -> None:
    """The packages of the lock are asked about at every push and once a week: what is known against them changes."""
    assert "make audit" in commands(CI)
    assert document(CI)["on"]["schedule"]


def test_deploying_signs_in_with_the_workflows_token() -> None:
    """Each job that reaches Azure may ask for a token, and names an environment that Azure trusts."""
    workflow = document(DEPLOY)
    assert workflow["permissions"]["id-token"] == "write"
    for name in ("preview", "deploy"):
        job = workflow["jobs"][name]
        (login,) = (step for step in job["steps"] if step.get("uses", "").startswith("azure/login@"))
        assert set(login["with"]) == {"client-id", "tenant-id", "subscription-id"}
        assert job["environment"]
        assert job["needs"] == "compile"


def test_a_pull_request_only_previews() -> None:
    """A pull request shows what would change; only a push to main or a person deploys."""
    jobs = document(DEPLOY)["jobs"]
    assert jobs["preview"]["if"].startswith("github.event_name == 'pull_request'")
    assert jobs["deploy"]["if"] == "github.event_name != 'pull_request'"
    assert [step["run"] for step in jobs["preview"]["steps"] if "run" in step] == ["infra/deploy.sh dev --what-if"]


def test_the_compiler_sees_the_templates_first() -> None:
    """Where there is internet, the real compiler and linter run before anything is deployed."""
    assert "az bicep build --file infra/main.bicep --stdout >/dev/null" in commands(DEPLOY)
    assert "az bicep lint --file infra/main.bicep" in commands(DEPLOY)


def test_a_person_may_choose_every_stage() -> None:
    """The choices of the workflow are the environments there are."""
    choice = document(DEPLOY)["on"]["workflow_dispatch"]["inputs"]["environment"]
    assert sorted(choice["options"]) == sorted(infra().environments)


def test_the_workflow_gives_what_the_parameters_read() -> None:
    """Variables that parameter files read are given to whatever reads them, or found by prepare.sh."""
    read = {name for text in infra().texts.values() for name in re.findall(r"readEnvironmentVariable\('(\w+)'", text)}
    deploying = [step["env"] for step in steps(DEPLOY) if "infra/deploy.sh" in step.get("run", "")]
    assert len(deploying) == 2
    assert all(read - {"BUDGET_START"} <= set(given) for given in deploying)


def test_azd_runs_what_is_there() -> None:
    """azure.yaml names the tagged service and hooks that exist and may be run."""
    project = document(ROOT / "azure.yaml")
    assert project["services"] == {"api": {"project": ".", "language": "python", "host": "function"}}
    assert project["infra"] == {"provider": "bicep", "path": "infra", "module": "main"}
    for hook in project["hooks"].values():
        assert (ROOT / hook["run"]).stat().st_mode & 0o111


def test_hooks_get_their_variables_from_outputs() -> None:
    """Whatever a script reads that is no choice of the caller's is an output of main.bicep."""
    outputs = set(infra().template("main.bicep").outputs)
    for script in ("subscribe-clips.sh", "smoke.sh"):
        read = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", infra().texts[script]))
        assert read <= outputs, script
