"""deploy.sh works in order, stops at the first failure, and can be repeated."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.infra.azure import Azure, option
from tests.infra.subscription import CLIENT_ID, SECRET_KEYS, as_azure_spells

RESOURCES, CODE = "deployment sub create", "functionapp deployment source config-zip"
SUBSCRIPTION = "eventgrid system-topic event-subscription create"
REGISTRATION = "ad app update"
WHAT_IF = "deployment sub what-if"


def listed(*options: str) -> set[str]:
    """The files that git lists."""
    done = subprocess.run(["git", "ls-files", *options], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603, S607
    return set(done.stdout.splitlines())


def test_deploy_creates_resources_then_code_then_events(cloud: Azure) -> None:
    """Each step needs the one before, and the smoke test comes last."""
    done = cloud.run("deploy.sh", "dev", "--yes")
    assert done.returncode == 0, done.stderr
    assert cloud.changes == [REGISTRATION, RESOURCES, CODE, SUBSCRIPTION]
    assert done.stdout.splitlines()[-1] == cloud.outputs["API_BASE_URL"]


def test_deploy_previews_the_changes_first(cloud: Azure) -> None:
    """The preview has the same arguments as the deployment that follows."""
    cloud.run("deploy.sh", "dev", "--yes")
    previewed, deployed = cloud.call(WHAT_IF), cloud.call(RESOURCES)
    assert cloud.calls.index(previewed) < cloud.calls.index(deployed)
    assert previewed[3:] == deployed[3 : len(previewed)]
    assert option(deployed, "--name") == "voice-dev"
    assert option(deployed, "--location") == "eastus2"
    assert option(deployed, "--parameters") == "infra/main.dev.bicepparam"


def test_deploy_uses_the_given_region(cloud: Azure) -> None:
    """AZURE_LOCATION sets the region."""
    cloud.environ["AZURE_LOCATION"] = "westeurope"
    cloud.run("deploy.sh", "dev", "--yes")
    assert option(cloud.call(RESOURCES), "--location") == "westeurope"


def test_code_is_built_in_azure(cloud: Azure) -> None:
    """The package contains no libraries: Azure installs them, in the app that the deployment's outputs name."""
    cloud.environ["TMPDIR"] = str(cloud.folder)
    cloud.run("deploy.sh", "dev", "--yes")
    call = cloud.call(CODE)
    assert option(call, "--build-remote") == "true"
    assert option(call, "--name") == cloud.outputs["FUNCTION_APP_NAME"]
    assert option(call, "--resource-group") == cloud.outputs["AZURE_RESOURCE_GROUP"]
    assert not Path(option(call, "--src")).parent.exists(), "the package is deleted"


def test_a_second_deployment_makes_the_same_calls(cloud: Azure) -> None:
    """A second run repeats the first one's calls, and creates no second registration."""
    cloud.run("deploy.sh", "dev", "--yes")
    first = cloud.calls
    assert cloud.run("deploy.sh", "dev", "--yes").returncode == 0
    second = cloud.calls[len(first) :]
    for calls in (first, second):  # each run packs in a new folder
        zipped = next(call for call in calls if call[:4] == CODE.split())
        zipped[zipped.index("--src") + 1] = "app.zip"
    assert second == first
    assert not [change for change in cloud.changes if change in ("ad app create", "ad sp create")]


@pytest.mark.parametrize(
    ("failing", "done"),
    [
        ("account show", []),
        ("ad app list", []),
        ("group exists", []),
        ("consumption budget list", []),
        (WHAT_IF, []),
        ("ad sp list", [REGISTRATION]),
        (RESOURCES, [REGISTRATION, RESOURCES]),
        ("deployment sub show", [REGISTRATION, RESOURCES]),
        (CODE, [REGISTRATION, RESOURCES, CODE, CODE]),
        ("functionapp keys list", [REGISTRATION, RESOURCES, CODE]),
        (SUBSCRIPTION, [REGISTRATION, RESOURCES, CODE, SUBSCRIPTION, SUBSCRIPTION]),
    ],
)
def test_deploy_stops_at_the_first_failure(cloud: Azure, failing: str, done: list[str]) -> None:
    """No step follows a failed one; steps that may need time to be permitted are retried first."""
    cloud.failing = failing
    assert cloud.run("deploy.sh", "dev", "--yes").returncode != 0
    assert cloud.changes == done


@pytest.mark.parametrize(("path", "status"), [("/api/voice/health?deep=1", 503), ("/api/voice/conversations", 200)])
def test_deploy_fails_when_the_product_responds_wrongly(cloud: Azure, path: str, status: int) -> None:
    """A product that cannot reach its services, or requires no token, is a failure."""
    cloud.front_door[path] = status
    done = cloud.run("deploy.sh", "dev", "--yes")
    assert done.returncode != 0
    assert f"{path} answers {status}" in done.stdout


def test_an_unhealthy_app_is_published_five_times_at_most(cloud: Azure) -> None:
    """Each attempt builds in Azure: after the fifth the script gives up, right below the reason that az printed."""
    cloud.origin["/admin/host/status"] = 503
    cloud.environ["ATTEMPTS"] = ""
    done = cloud.run("deploy.sh", "dev", "--yes")
    assert done.returncode != 0
    assert cloud.changes == [REGISTRATION, RESOURCES, *[CODE] * 5]
    assert done.stderr.splitlines()[-2:] == [
        "ERROR: Deployment was successful but the app appears to be unhealthy.",
        "Given up after 5 attempts; the last failure is above.",
    ]


def test_deploy_asks_before_it_changes(cloud: Azure) -> None:
    """Until the environment's name is typed, nothing is created or changed, not even an app registration."""
    cloud.responses["ad app list"] = []
    refused = cloud.run("deploy.sh", "dev", typed="yes\n")
    assert refused.returncode == 1
    assert "Nothing was changed." in refused.stderr
    assert cloud.call(WHAT_IF)
    assert cloud.changes == []
    assert cloud.run("deploy.sh", "dev", typed="dev\n").returncode == 0
    assert RESOURCES in cloud.changes


def test_deploy_without_input_names_the_option(cloud: Azure) -> None:
    """Without input and without --yes, nothing is changed, and the message names --yes."""
    done = cloud.run("deploy.sh", "dev")
    assert done.returncode == 1
    assert "--yes" in done.stderr
    assert cloud.changes == []


@pytest.mark.parametrize("name", ["API_BASE_URL", "FUNCTION_APP_NAME", "CLIPS_TOPIC"])
def test_deploy_stops_at_a_missing_output(cloud: Azure, name: str) -> None:
    """A missing output is not taken from the environment: the script names it and stops."""
    del cloud.responses["deployment sub show"]["properties"]["outputs"][as_azure_spells(name)]
    cloud.environ[name] = "of another day"
    done = cloud.run("deploy.sh", "dev", "--yes")
    assert done.returncode != 0
    assert f"no output {name}" in done.stderr
    assert cloud.changes == [REGISTRATION, RESOURCES]


def test_a_preview_changes_nothing(cloud: Azure) -> None:
    """`--what-if` creates no app registration either, and accepts uncommitted work."""
    cloud.responses["ad app list"] = []
    (cloud.checkout / "host.json").write_text("{}")
    assert cloud.run("deploy.sh", "dev", "--what-if").returncode == 0
    assert cloud.changes == []
    assert cloud.call(WHAT_IF)


@pytest.mark.parametrize("staged", [False, True])
def test_uncommitted_work_is_not_deployed(cloud: Azure, *, staged: bool) -> None:
    """Uncommitted work stops a deployment before anything is changed."""
    (cloud.checkout / "host.json").write_text("{}")
    if staged:
        subprocess.run(["git", "add", "host.json"], cwd=cloud.checkout, check=True)  # noqa: S607
    done = cloud.run("deploy.sh", "dev", "--yes")
    assert done.returncode == 1
    assert "commit them first" in done.stderr
    assert cloud.changes == []


@pytest.mark.parametrize("arguments", [[], ["staging"], ["dev", "--force"], ["dev", "--yes", "now"]])
def test_wrong_arguments_print_the_usage(cloud: Azure, arguments: list[str]) -> None:
    """A wrong call ends with the usage, before az is called."""
    done = cloud.run("deploy.sh", *arguments)
    assert done.returncode != 0
    assert "Usage: infra/deploy.sh dev|beta|prod" in done.stderr
    assert cloud.calls == []


def test_the_package_contains_only_the_app(cloud: Azure, tmp_path: Path) -> None:
    """The zip contains the app and its requirements, not its tests, tools or ignored files."""
    copy, names = tmp_path / "copy.zip", "\\t".join(cloud.outputs)
    (tmp_path / "bin" / "az").write_text(
        f'#!/bin/sh\ncase "$1" in version) echo 2.91.0;; esac\n'
        f'case "$*" in *config-zip*) while [ "$1" != --src ]; do shift; done; cp "$2" {copy};; esac\n'
        f'case "$*" in *outputs*) printf "{names}\\n{names}\\n";; esac\n'
    )
    cloud.environ["AUTH_CLIENT_ID"] = CLIENT_ID
    cloud.run("deploy.sh", "dev", "--yes")
    assert set(zipfile.ZipFile(copy).namelist()) == {
        "function_app.py",
        "host.json",
        "requirements.txt",
        *("voice_core/", "voice_core/functions/", "voice_core/functions/turns.py"),
    }


def test_all_code_is_published() -> None:
    """.funcignore admits all of voice_core and the files that the host reads, and nothing else."""
    tracked = listed()
    published = tracked - listed("--cached", "--ignored", "--exclude-from=.funcignore")
    code = {path for path in tracked if path.startswith("voice_core/")}
    assert published == code | {"function_app.py", "host.json", "requirements.txt"}


def test_clips_are_subscribed_with_the_webhooks_key(cloud: Azure) -> None:
    """Event Grid gets the function's webhook with its key, for new blobs in the container of clips only."""
    cloud.environ |= cloud.outputs
    assert cloud.run("subscribe-clips.sh").returncode == 0
    call = cloud.call(SUBSCRIPTION)
    url = f"{cloud.outputs['FUNCTION_APP_URL']}/runtime/webhooks/blobs"
    assert option(call, "--endpoint-type") == "webhook"
    assert option(call, "--system-topic-name") == cloud.outputs["CLIPS_TOPIC"]
    assert option(call, "--endpoint") == f"{url}?functionName=Host.Functions.take_clip&code=webhook-key"
    assert option(call, "--included-event-types") == "Microsoft.Storage.BlobCreated"
    assert option(call, "--subject-begins-with") == "/blobServices/default/containers/clips/"


def test_the_webhooks_key_is_not_printed(cloud: Azure) -> None:
    """The output of a deployment contains no key."""
    done = cloud.run("deploy.sh", "dev", "--yes")
    assert not [key for key in ("webhook-key", *SECRET_KEYS) if key in done.stdout + done.stderr]


def test_a_missing_trigger_is_a_failure(cloud: Azure) -> None:
    """While Azure lists no function with a blob trigger, the deployment fails."""
    cloud.environ |= cloud.outputs
    cloud.responses["functionapp function list"].pop()
    assert cloud.run("subscribe-clips.sh").returncode != 0
    assert cloud.changes == []


def test_scripts_pass_shellcheck() -> None:
    """shellcheck finds nothing in any script."""
    shellcheck = Path(sys.executable).with_name("shellcheck")
    scripts = sorted((ROOT / "infra").glob("*.sh"))
    done = subprocess.run([shellcheck, "-x", *scripts], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout
