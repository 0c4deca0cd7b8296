"""The workflows of GitHub and the configuration of azd match the scripts and templates that they run."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.conftest import ROOT
from tests.infra.templates import infra

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
INSTALLED = re.compile(r"apt-get install(?: -\S+)*((?: [a-z][\w.-]*)+)")
"""Packages in a line that installs some."""

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
    """Every action is of one commit, which no one can move as a tag can be moved, with its version in a comment."""
    used = [line.strip("- ") for line in path.read_text().splitlines() if "uses:" in line]
    assert used
    assert [line for line in used if not re.fullmatch(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_hold_no_secret(path: Path) -> None:
    """The workflow signs in with its own token; nothing is read from the repository's secrets."""
    assert "secrets." not in path.read_text()
    assert document(path)["permissions"]["contents"] == "read"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_input_becomes_a_command(path: Path) -> None:
    """Input of a person or a pull request reaches a shell as a variable, never as part of the command."""
    assert not [command for command in commands(path) if "${{" in command.replace("${{ matrix.python }}", "")]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_strangers_code_runs_without_rights(path: Path) -> None:
    """No workflow runs a stranger's proposal with the repository's own rights; only pushes to main start one."""
    on = document(path)["on"]
    assert {"push", "pull_request"} <= set(on) <= {"push", "pull_request", "schedule", "workflow_dispatch"}
    assert on["push"] == {"branches": ["main"]}


def test_ci_may_read_only() -> None:
    """CI requests no token, and runs for every pull request."""
    assert document(CI)["permissions"] == {"contents": "read"}
    assert document(CI)["on"]["pull_request"] is None


def test_ci_tests_both_pythons() -> None:
    """The suite runs on the oldest Python and on the one in Azure, after the checks."""
    jobs = document(CI)["jobs"]
    assert jobs["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    assert {"make check", "make infra-check"} <= set(commands(CI))
    assert "make test-${{ matrix.python }}" in commands(CI)


def test_ci_installs_what_tests_need() -> None:
    """CI installs all packages that .ci/run installs, so that no test is skipped; the runner already has Chrome."""
    local, remote = (
        {word for line in re.findall(INSTALLED, text) for word in line.split()}
        for text in ((ROOT / ".ci" / "run").read_text(), "\n".join(commands(CI)))
    )
    assert local
    assert local - {"chromium"} <= remote


def test_deployed_packages_are_audited() -> None:
    """The packages of the lock are checked for known vulnerabilities at every push and once a week."""
    assert "make audit" in commands(CI)
    assert document(CI)["on"]["schedule"]


def test_deploying_signs_in_with_the_workflows_token() -> None:
    """Only the jobs that reach Azure may request a token, and sign in as the app that the environment names."""
    workflow = document(DEPLOY)
    assert workflow["permissions"] == {"contents": "read"}
    assert {name for name, job in workflow["jobs"].items() if "permissions" in job} == {"preview", "deploy"}
    for name in ("preview", "deploy"):
        job = workflow["jobs"][name]
        assert job["permissions"] == {"contents": "read", "id-token": "write"}
        (login,) = (step for step in job["steps"] if step.get("uses", "").startswith("azure/login@"))
        assert login["with"] == {
            f"{kind}-id": f"${{{{ vars.AZURE_{kind.upper()}_ID }}}}" for kind in ("client", "tenant", "subscription")
        }
        assert job["needs"] == "compile"


def test_a_pull_request_only_previews() -> None:
    """A pull request from this repository that changes the templates runs a preview; one from a fork does not."""
    workflow = document(DEPLOY)
    preview = workflow["jobs"]["preview"]
    ours = "github.event.pull_request.head.repo.full_name == github.repository"
    assert workflow["on"]["pull_request"] == {"paths": ["infra/**", ".github/workflows/deploy.yml"]}
    assert preview["if"] == f"github.event_name == 'pull_request' && {ours}"
    assert preview["environment"] == "dev"
    assert [step["run"] for step in preview["steps"] if "run" in step] == ["infra/deploy.sh dev --what-if"]


def test_a_push_reaches_dev_and_no_other_stage() -> None:
    """A push to main deploys dev; beta and prod must be chosen by a person and pass their environment's own rules."""
    deploy = document(DEPLOY)["jobs"]["deploy"]
    stage = "${{ inputs.environment || 'dev' }}"
    (step,) = (step for step in deploy["steps"] if "run" in step)
    assert deploy["if"] == "github.event_name != 'pull_request'"
    assert deploy["environment"] == step["env"]["STAGE"] == stage
    assert step["run"] == 'infra/deploy.sh "$STAGE" --yes'
    assert "default" not in document(DEPLOY)["on"]["workflow_dispatch"]["inputs"]["environment"]


def test_the_templates_are_compiled_before_deployment() -> None:
    """The workflow runs the real compiler and linter for every stage before anything is deployed."""
    every = 'for file in infra/main.*.bicepparam; do az bicep build-params --file "$file" --stdout >/dev/null; done'
    assert every in commands(DEPLOY)
    assert "az bicep build --file infra/main.bicep --stdout >/dev/null" in commands(DEPLOY)
    assert "az bicep lint --file infra/main.bicep" in commands(DEPLOY)


def test_a_person_may_choose_every_stage() -> None:
    """The choices of the workflow are the existing environments."""
    choice = document(DEPLOY)["on"]["workflow_dispatch"]["inputs"]["environment"]
    assert sorted(choice["options"]) == sorted(infra().environments)


def test_the_workflow_sets_what_the_parameters_read() -> None:
    """The workflow sets every variable that parameter files read, but the one that prepare.sh finds."""
    read = {name for text in infra().texts.values() for name in re.findall(r"readEnvironmentVariable\('(\w+)'", text)}
    deploying = [step["env"] for step in steps(DEPLOY) if "infra/deploy.sh" in step.get("run", "")]
    assert len(deploying) == 2
    assert all(read - {"BUDGET_START"} <= set(given) for given in deploying)


def test_azd_runs_existing_scripts() -> None:
    """azure.yaml names the tagged service, and hooks that exist and are executable."""
    project = document(ROOT / "azure.yaml")
    assert project["services"] == {"api": {"project": ".", "language": "python", "host": "function"}}
    assert project["infra"] == {"provider": "bicep", "path": "infra", "module": "main"}
    hooks = {name: hook["run"] for name, hook in project["hooks"].items()}
    assert hooks == {
        "preup": "infra/azd-prepare.sh",  # writes the parameters before azd up reads them, ahead of any other hook
        "preprovision": "infra/azd-prepare.sh",  # the same for azd provision
        "postdeploy": "infra/subscribe-clips.sh",  # the function must exist before it can receive events of clips
        "postup": "infra/smoke.sh",
    }
    for script in hooks.values():
        assert (ROOT / script).stat().st_mode & 0o111


def test_hooks_get_their_variables_from_outputs() -> None:
    """Every variable that these scripts read is an output of main.bicep."""
    outputs = set(infra().template("main.bicep").outputs)
    for script in ("subscribe-clips.sh", "smoke.sh"):
        read = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", infra().texts[script]))
        assert read <= outputs, script
