"""The scripts that run before a deployment and after the last one: prepare.sh, azd-prepare.sh, destroy.sh."""

import shutil
from datetime import UTC, datetime

import pytest

from tests.infra.azure import Azure, option
from tests.infra.subscription import CLIENT_ID, deleted

REGISTRATION = "ad app update"
TELEMETRY = "monitor log-analytics workspace delete"


def test_preparing_anew_registers_the_app_once(cloud: Azure) -> None:
    """In an empty subscription, an app registration and its principal are created, and the budget starts this month."""
    cloud.responses |= {"ad app list": [], "ad sp list": [], "group exists": False}
    done = cloud.run("prepare.sh", "dev")
    assert cloud.changes == ["ad app create", REGISTRATION, "ad sp create"]
    created = cloud.call("ad app create")
    assert option(created, "--requested-access-token-version") == "2"
    assert (option(created, "--display-name"), option(created, "--sign-in-audience")) == ("voice-dev", "AzureADMyOrg")
    assert option(cloud.call(REGISTRATION), "--identifier-uris") == f"api://{CLIENT_ID}"
    assert option(cloud.call("ad sp create"), "--id") == CLIENT_ID
    month = datetime.now(UTC).strftime("%Y-%m-01")
    assert done.stdout.splitlines() == [f"AUTH_CLIENT_ID={CLIENT_ID}", f"BUDGET_START={month}"]


def test_preparing_again_finds_what_exists(cloud: Azure) -> None:
    """The registration and the budget's first month are those of the first deployment."""
    done = cloud.run("prepare.sh", "dev")
    assert cloud.changes == [REGISTRATION]
    assert done.stdout.splitlines() == [f"AUTH_CLIENT_ID={CLIENT_ID}", "BUDGET_START=2026-03-01"]


def test_look_changes_nothing(cloud: Azure) -> None:
    """`--look` prints the id of the registration, or zeros before there is one."""
    assert f"AUTH_CLIENT_ID={CLIENT_ID}" in cloud.run("prepare.sh", "dev", "--look").stdout.splitlines()
    cloud.responses["ad app list"].clear()
    zeros = "AUTH_CLIENT_ID=00000000-0000-0000-0000-000000000000"
    assert zeros in cloud.run("prepare.sh", "dev", "--look").stdout.splitlines()
    assert cloud.changes == []


@pytest.mark.parametrize("script", ["prepare.sh", "destroy.sh"])
@pytest.mark.parametrize("arguments", [[], ["dve"], ["dev", "--now"]])
def test_only_existing_environments_can_be_named(cloud: Azure, script: str, arguments: list[str]) -> None:
    """A wrong argument ends with the usage, before az is called."""
    done = cloud.run(script, *arguments, typed="dve\n")
    assert done.returncode == 2
    assert f"Usage: infra/{script} dev|beta|prod" in done.stderr
    assert cloud.calls == []


def test_a_given_registration_is_not_touched(cloud: Azure) -> None:
    """With AUTH_CLIENT_ID given, nothing is read or changed in Entra ID."""
    cloud.environ["AUTH_CLIENT_ID"] = CLIENT_ID
    cloud.run("prepare.sh", "dev")
    assert not [call for call in cloud.calls if call[0] == "ad"]


def test_destroying_frees_the_names(cloud: Azure) -> None:
    """Telemetry and group are deleted for good, and accounts and vault are purged: those of this group only."""
    cloud.responses |= deleted("rg-voice-prod", "rg-voice-dev", "rg-dev", "rg-voice-dev2")
    assert cloud.run("destroy.sh", "dev", typed="dev\n").returncode == 0
    purge = "cognitiveservices account purge"
    assert cloud.changes == [TELEMETRY, TELEMETRY, "group delete", purge, purge, "keyvault purge"]
    assert option(cloud.call("group delete"), "--name") == "rg-voice-dev"
    purged = [option(call, "--name") for call in cloud.calls if "purge" in call]
    assert purged == ["speech-of-rg-voice-dev", "openai-of-rg-voice-dev", "vault-of-rg-voice-dev"]
    assert all(option(call, "--location") == "eastus2" for call in cloud.calls if purge in " ".join(call))


def test_destroying_leaves_no_telemetry(cloud: Azure) -> None:
    """Each workspace of the group is deleted by force, which leaves nothing to bring back."""
    cloud.run("destroy.sh", "dev", typed="dev\n")
    calls = [call for call in cloud.calls if call[: len(TELEMETRY.split())] == TELEMETRY.split()]
    assert [option(call, "--workspace-name") for call in calls] == ["log-voice-dev", "log-voice-dev-older"]
    assert all(option(call, "--force") == "true" and "--yes" in call for call in calls)
    assert {option(call, "--resource-group") for call in calls} == {"rg-voice-dev"}


def test_destroying_can_be_repeated(cloud: Azure) -> None:
    """A group that no longer exists is not a failure."""
    cloud.responses["group exists"] = False
    assert cloud.run("destroy.sh", "dev", typed="dev\n").returncode == 0
    assert cloud.changes == []


def test_destroying_a_partial_deployment(cloud: Azure) -> None:
    """A group without a workspace is deleted too."""
    cloud.responses["monitor log-analytics workspace list"] = []
    assert cloud.run("destroy.sh", "dev", typed="dev\n").returncode == 0
    assert cloud.changes == ["group delete"]


@pytest.mark.parametrize(
    "failing", ["group exists", TELEMETRY, "group delete", "cognitiveservices account list-deleted"]
)
def test_destroying_stops_at_the_first_failure(cloud: Azure, failing: str) -> None:
    """Nothing is purged that may still be in use, and the script reports the failure."""
    cloud.failing = failing
    assert cloud.run("destroy.sh", "dev", typed="dev\n").returncode != 0
    assert "keyvault purge" not in cloud.changes


@pytest.mark.parametrize(("typed", "message"), [("y\n", ""), ("", "There is no input")])
def test_destroying_asks_first(cloud: Azure, typed: str, message: str) -> None:
    """Until the environment's name is typed, az is not called."""
    done = cloud.run("destroy.sh", "prod", typed=typed)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Nothing was deleted." in done.stderr
    assert cloud.calls == []


def test_azd_gets_the_environments_parameters(cloud: Azure) -> None:
    """azd deploys main.bicepparam, a copy of the environment's file, and gets the variables that prepare.sh prints."""
    shutil.copy(cloud.folder / "bin" / "az", cloud.folder / "bin" / "azd")
    cloud.environ["AZURE_ENV_NAME"] = "beta"
    assert cloud.run("azd-prepare.sh").returncode == 0
    infra = cloud.checkout / "infra"
    assert (infra / "main.bicepparam").read_text() == (infra / "main.beta.bicepparam").read_text()
    values = [call[2:] for call in cloud.calls if call[:2] == ["env", "set"]]
    assert values == [["AUTH_CLIENT_ID", CLIENT_ID], ["BUDGET_START", "2026-05-01"]]
