"""deploy.sh does things in order, stops at the first failure, and does nothing twice."""

import json
import re
import subprocess
import sys
import zipfile
from base64 import b64decode
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.infra.azure import Azure, Stops, option
from tests.infra.subscription import CLIENT_ID, SECRET_KEYS, as_azure_spells

RESOURCES, CODE = "deployment sub create", "functionapp deployment source config-zip"
SUBSCRIPTION = "eventgrid system-topic event-subscription create"
REGISTRATION = "ad app update"
WHAT_IF = "deployment sub what-if"

JSON, FORM = "application/json", "multipart/form-data"
RULES: dict[str, Stops] = {
    "911100": lambda request: request.method in ("PATCH", "DELETE"),
    "920420": lambda request: request.content_type.startswith(("audio/", "application/sdp")),
    "920470": lambda request: re.search(r";\s*(?!boundary|charset)", request.content_type) is not None,
    "920340": lambda request: bool(request.body) and not request.content_type,
    "200002": lambda request: request.content_type == JSON and len(request.body) > 131_072,
    "200003": lambda request: request.content_type.startswith(FORM) and len(request.body) > 131_072,
    "921110": lambda request: re.search(rb"get \w+[\r\n]", request.body.lower()) is not None,
    "words": lambda request: b"1 = 1 -- '" in request.body,
    "words in a URL": lambda request: "1%20%3D%201" in request.path,
    "a key": lambda request: request.headers.get("idempotency-key") == "1=1--'",
}
"""What rules of the firewall stop, by their ids, and texts that it must not look at."""


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


def test_the_smoke_test_sends_each_kind_of_request(cloud: Azure) -> None:
    """For every rule of the firewall that is off, a request is sent that the rule would have stopped."""
    assert cloud.run("deploy.sh", "dev", "--yes").returncode == 0
    unproved = [rule for rule, stops in RULES.items() if not any(stops(request) for request in cloud.received)]
    assert unproved == []
    sent = {(request.method, request.path.partition("?")[0].rpartition("/voice")[2]) for request in cloud.received}
    assert sent == {
        ("POST", "/process"),
        ("POST", "/session"),
        ("PATCH", "/session/x"),
        ("DELETE", "/session/x"),
    }


def test_what_the_smoke_test_sends_is_a_request(cloud: Azure) -> None:
    """Recordings are the sample's bytes, JSON can be read, and no request has a token: the app itself answers 401."""
    cloud.run("deploy.sh", "dev", "--yes")
    sample = (ROOT / "samples/hello.wav").read_bytes()
    sent = cloud.received
    assert all("authorization" not in request.headers for request in sent)
    assert all(request.body == sample for request in sent if request.content_type.startswith("audio/"))
    documents = [json.loads(request.body) for request in sent if request.content_type == JSON]
    assert [sorted(document) for document in documents] == [["audioData", "format"], ["phrases", "text"]]
    assert b64decode(documents[0]["audioData"]) == 3 * sample


@pytest.mark.parametrize("rule", RULES)
def test_deploy_fails_when_the_firewall_stops_a_request(cloud: Azure, rule: str) -> None:
    """A firewall that stops what clients send is no success, and the request that it stopped is named."""
    cloud.stopped.append(RULES[rule])
    done = cloud.run("deploy.sh", "dev", "--yes")
    assert done.returncode != 0
    assert "answers 429." in done.stdout.splitlines()[-1]


def test_deploy_fails_when_the_app_has_a_back_door(cloud: Azure) -> None:
    """An app that answers without Front Door is no success."""
    cloud.origin["/api/voice/health"] = 200
    assert cloud.run("deploy.sh", "dev", "--yes").returncode != 0


@pytest.mark.parametrize("version", ["2.86.0", "2.9.0", "1.100.0", "2.87.0b1", "2.87.0rc2", "2.87.0.dev3", "", "none"])
def test_an_old_cli_is_refused_before_anything_else(cloud: Azure, version: str) -> None:
    """With an az that would take a published app for unhealthy, nothing is asked or changed; the oldest is named."""
    cloud.answers["version"]["azure-cli"] = version
    done = cloud.run("deploy.sh", "dev", "--yes")
    assert done.returncode == 1
    assert "Azure CLI 2.87.0 or newer is needed" in done.stderr
    assert version in done.stderr
    assert [call[0] for call in cloud.calls] == ["version"]


@pytest.mark.parametrize("version", ["2.87.0", "2.87.1", "2.100.0", "2.88.0b1", "3.0.0"])
def test_a_cli_that_is_new_enough_deploys(cloud: Azure, version: str) -> None:
    """Versions are compared as numbers: the app refuses az's own health check, and is published once all the same."""
    cloud.answers["version"]["azure-cli"] = version
    done = cloud.run("deploy.sh", "dev", "--yes")
    assert done.returncode == 0, done.stderr
    assert cloud.changes.count(CODE) == 1


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


def test_a_missing_cli_is_named(cloud: Azure) -> None:
    """Without az the script says what is missing and where to get it."""
    (cloud.folder / "bin" / "az").write_text("#!/bin/sh\nexit 127\n")
    done = cloud.run("deploy.sh", "dev", "--yes")
    assert done.returncode == 1
    assert "az is not there" in done.stderr
    assert "https://learn.microsoft.com/cli/azure/install-azure-cli" in done.stderr


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
        *("voice_core/", "voice_core/functions/", "voice_core/functions/turns.py"),
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
