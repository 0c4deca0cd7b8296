"""deploy.sh does things in order, stops at the first failure, and does nothing twice."""

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
    """The repository's files, as git lists them."""
    done = subprocess.run(["git", "ls-files", *options], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603, S607
    return set(done.stdout.splitlines())


def test_deploy_makes_resources_then_code_then_events(cloud: Azure) -> None:
    """Each step builds on the one before, and the smoke test comes last."""
    done = cloud.run("deploy.sh", "dev", "--yes")
    assert done.returncode == 0, done.stderr
    assert cloud.changes == [REGISTRATION, RESOURCES, CODE, SUBSCRIPTION]
    assert done.stdout.splitlines()[-1] == cloud.outputs["API_BASE_URL"]


def test_deploy_shows_what_would_change_first(cloud: Azure) -> None:
    """The preview is of the very deployment that follows."""
    cloud.run("deploy.sh", "dev", "--yes")
    previewed, deployed = cloud.call(WHAT_IF), cloud.call(RESOURCES)
    assert cloud.calls.index(previewed) < cloud.calls.index(deployed)
    assert previewed[3:] == deployed[3 : len(previewed)]
    assert option(deployed, "--name") == "voice-dev"
    assert option(deployed, "--location") == "eastus2"
    assert option(deployed, "--parameters") == "infra/main.dev.bicepparam"


def test_deploy_goes_where_it_is_told(cloud: Azure) -> None:
    """AZURE_LOCATION says in which region."""
    cloud.environ["AZURE_LOCATION"] = "westeurope"
    cloud.run("deploy.sh", "dev", "--yes")
    assert option(cloud.call(RESOURCES), "--location") == "westeurope"


def test_code_is_built_in_azure(cloud: Azure) -> None:
    """The package holds no libraries: Azure installs them, into the app that the deployment told of."""
    cloud.environ["TMPDIR"] = str(cloud.folder)
    cloud.run("deploy.sh", "dev", "--yes")
    call = cloud.call(CODE)
    assert option(call, "--build-remote") == "true"
    assert option(call, "--name") == cloud.outputs["FUNCTION_APP_NAME"]
    assert option(call, "--resource-group") == cloud.outputs["AZURE_RESOURCE_GROUP"]
    assert not Path(option(call, "--src")).parent.exists(), "the package is not left behind"


def test_deploy_twice_does_the_same_twice(cloud: Azure) -> None:
    """A second run repeats what may be repeated, and makes nothing anew."""
    cloud.run("deploy.sh", "dev", "--yes")
    first = cloud.calls
    assert cloud.run("deploy.sh", "dev", "--yes").returncode == 0
    second = cloud.calls[len(first) :]
    for calls in (first, second):  # the package's folder is a new one each time
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
    """Nothing is built on what failed; what takes time to be allowed is tried again first."""
    cloud.failing = failing
    assert cloud.run("deploy.sh", "dev", "--yes").returncode != 0
    assert cloud.changes == done


@pytest.mark.parametrize(("path", "status"), [("/api/voice/health?deep=1", 503), ("/api/voice/conversations", 200)])
def test_deploy_fails_when_the_product_answers_wrongly(cloud: Azure, path: str, status: int) -> None:
    """A product that cannot reach its services, or lets anybody in, is no success."""
    cloud.front_door[path] = status
    done = cloud.run("deploy.sh", "dev", "--yes")
    assert done.returncode != 0
    assert f"{path} answers {status}" in done.stdout


def test_an_unhealthy_app_is_published_no_more_than_a_few_times(cloud: Azure) -> None:
    """Each try builds in Azure: after the fifth the script gives up, and az's own reason stands right above."""
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
    """Without the environment's name typed, nothing is made or changed, an app registration neither."""
    cloud.answers["ad app list"] = []
    refused = cloud.run("deploy.sh", "dev", typed="yes\n")
    assert refused.returncode == 1
    assert "Nothing was changed." in refused.stderr
    assert cloud.call(WHAT_IF)
    assert cloud.changes == []
    assert cloud.run("deploy.sh", "dev", typed="dev\n").returncode == 0
    assert RESOURCES in cloud.changes


def test_deploy_says_what_to_do_where_nobody_types(cloud: Azure) -> None:
    """With no keyboard and no --yes, nothing is changed, and it says why."""
    done = cloud.run("deploy.sh", "dev")
    assert done.returncode == 1
    assert "--yes" in done.stderr
    assert cloud.changes == []


@pytest.mark.parametrize("name", ["API_BASE_URL", "FUNCTION_APP_NAME", "CLIPS_TOPIC"])
def test_deploy_misses_an_output(cloud: Azure, name: str) -> None:
    """What the deployment does not tell is not guessed, nor taken from elsewhere: that is said, and is the end."""
    del cloud.answers["deployment sub show"]["properties"]["outputs"][as_azure_spells(name)]
    cloud.environ[name] = "of another day"
    done = cloud.run("deploy.sh", "dev", "--yes")
    assert done.returncode != 0
    assert f"no output {name}" in done.stderr
    assert cloud.changes == [REGISTRATION, RESOURCES]


def test_a_preview_changes_nothing(cloud: Azure) -> None:
    """`--what-if` makes no app registration either, and takes uncommitted work."""
    cloud.answers["ad app list"] = []
    (cloud.checkout / "host.json").write_text("{}")
    assert cloud.run("deploy.sh", "dev", "--what-if").returncode == 0
    assert cloud.changes == []
    assert cloud.call(WHAT_IF)


@pytest.mark.parametrize("staged", [False, True])
def test_what_is_deployed_is_a_commit(cloud: Azure, *, staged: bool) -> None:
    """Uncommitted work stops a deployment before anything is changed."""
    (cloud.checkout / "host.json").write_text("{}")
    if staged:
        subprocess.run(["git", "add", "host.json"], cwd=cloud.checkout, check=True)  # noqa: S607
    done = cloud.run("deploy.sh", "dev", "--yes")
    assert done.returncode == 1
    assert "commit them first" in done.stderr
    assert cloud.changes == []


@pytest.mark.parametrize("arguments", [[], ["staging"], ["dev", "--force"], ["dev", "--yes", "now"]])
def test_deploy_says_how_it_is_used(cloud: Azure, arguments: list[str]) -> None:
    """A wrong call ends with the right one, before az is asked anything."""
    done = cloud.run("deploy.sh", *arguments)
    assert done.returncode != 0
    assert "Usage: infra/deploy.sh dev|beta|prod" in done.stderr
    assert cloud.calls == []


def test_the_package_holds_what_runs(cloud: Azure, tmp_path: Path) -> None:
    """The zip has the app and its requirements, not its tests, tools or anything ignored."""
    kept, names = tmp_path / "kept.zip", "\\t".join(cloud.outputs)
    (tmp_path / "bin" / "az").write_text(
        f'#!/bin/sh\ncase "$1" in version) echo 2.91.0;; esac\n'
        f'case "$*" in *config-zip*) while [ "$1" != --src ]; do shift; done; cp "$2" {kept};; esac\n'
        f'case "$*" in *outputs*) printf "{names}\\n{names}\\n";; esac\n'
    )
    cloud.environ["AUTH_CLIENT_ID"] = CLIENT_ID
    cloud.run("deploy.sh", "dev", "--yes")
    assert set(zipfile.ZipFile(kept).namelist()) == {
        "function_app.py",
        "host.json",
        "requirements.txt",
        *("voice_core/", "voice_core/functions/", "voice_core/functions/turn/turns.py"),
    }


def test_every_module_that_is_imported_is_published() -> None:
    """.funcignore lets through the whole of voice_core and what the host reads, and no other folder."""
    tracked = listed()
    published = tracked - listed("--cached", "--ignored", "--exclude-from=.funcignore")
    code = {path for path in tracked if path.startswith("voice_core/")}
    assert published == code | {"function_app.py", "host.json", "requirements.txt"}


def test_clips_are_subscribed_with_the_webhooks_key(cloud: Azure) -> None:
    """Event Grid is given the function's webhook with its key, for new blobs of the clips' container alone."""
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
    """Logs of a deployment hold no key."""
    done = cloud.run("deploy.sh", "dev", "--yes")
    assert not [key for key in ("webhook-key", *SECRET_KEYS) if key in done.stdout + done.stderr]


def test_a_trigger_that_azure_does_not_list_is_a_failure(cloud: Azure) -> None:
    """While Azure knows of no function that waits for clips, the deployment is not done."""
    cloud.environ |= cloud.outputs
    cloud.answers["functionapp function list"].pop()
    assert cloud.run("subscribe-clips.sh").returncode != 0
    assert cloud.changes == []


def test_scripts_are_what_shellcheck_likes() -> None:
    """No script has a trap that shellcheck knows."""
    shellcheck = Path(sys.executable).with_name("shellcheck")
    scripts = sorted((ROOT / "infra").glob("*.sh"))
    done = subprocess.run([shellcheck, "-x", *scripts], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout
