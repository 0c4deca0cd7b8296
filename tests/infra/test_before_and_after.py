"""What comes before a deployment and after the last one: prepare.sh, azd-prepare.sh, destroy.sh."""

import shutil
from datetime import UTC, datetime

import pytest

from tests.infra.azure import CLIENT_ID, Azure, option

REGISTRATION = "ad app update"


def test_preparing_anew_registers_the_app_once(cloud: Azure) -> None:
    """With nothing there yet, an app registration and its principal are made, and the budget starts this month."""
    cloud.answers |= {"ad app list": "", "ad app create": CLIENT_ID, "ad sp list": "", "group exists": "false"}
    done = cloud.run("prepare.sh", "dev")
    assert cloud.changes == ["ad app create", REGISTRATION, "ad sp create"]
    assert option(cloud.call("ad app create"), "--requested-access-token-version") == "2"
    month = datetime.now(UTC).strftime("%Y-%m-01")
    assert done.stdout.splitlines() == [f"AUTH_CLIENT_ID={CLIENT_ID}", f"BUDGET_START={month}"]


def test_preparing_again_finds_what_is_there(cloud: Azure) -> None:
    """The registration and the budget's first month are those of the first deployment."""
    done = cloud.run("prepare.sh", "dev")
    assert cloud.changes == [REGISTRATION]
    assert done.stdout.splitlines() == [f"AUTH_CLIENT_ID={CLIENT_ID}", "BUDGET_START=2026-03-01"]


def test_a_registration_of_ones_own_is_left_alone(cloud: Azure) -> None:
    """With AUTH_CLIENT_ID given, nothing is asked of or changed in Entra ID."""
    cloud.environ["AUTH_CLIENT_ID"] = CLIENT_ID
    cloud.run("prepare.sh", "dev")
    assert not [call for call in cloud.calls if call[0] == "ad"]


def test_destroying_frees_the_names(cloud: Azure) -> None:
    """The group is deleted, then accounts and vault are purged, so that the next deployment may have their names."""
    cloud.answers |= {
        "cognitiveservices account list-deleted": "speech-voice-dev\teastus2\nopenai-voice-dev\teastus2",
        "keyvault list-deleted": "kv-voice",
    }
    assert cloud.run("destroy.sh", "dev", typed="dev\n").returncode == 0
    purge = "cognitiveservices account purge"
    assert cloud.changes == ["group delete", purge, purge, "keyvault purge"]


def test_destroying_can_be_repeated(cloud: Azure) -> None:
    """What is gone already is no failure."""
    cloud.answers["group exists"] = "false"
    assert cloud.run("destroy.sh", "dev", typed="dev\n").returncode == 0
    assert cloud.changes == []


@pytest.mark.parametrize("failing", ["group exists", "group delete", "cognitiveservices account list-deleted"])
def test_destroying_stops_at_the_first_failure(cloud: Azure, failing: str) -> None:
    """Nothing is purged that may still be in use, and what was not done is not called done."""
    cloud.failing = failing
    assert cloud.run("destroy.sh", "dev", typed="dev\n").returncode != 0
    assert "keyvault purge" not in cloud.changes


def test_destroying_asks_first(cloud: Azure) -> None:
    """Without the environment's name typed, nothing is asked of Azure."""
    assert cloud.run("destroy.sh", "prod", typed="y\n").returncode == 1
    assert cloud.calls == []


def test_azd_gets_the_environments_parameters(cloud: Azure) -> None:
    """azd deploys main.bicepparam: it is the environment's, and what prepare.sh found is in azd's own."""
    shutil.copy(cloud.folder / "bin" / "az", cloud.folder / "bin" / "azd")
    cloud.environ["AZURE_ENV_NAME"] = "beta"
    assert cloud.run("azd-prepare.sh").returncode == 0
    infra = cloud.checkout / "infra"
    assert (infra / "main.bicepparam").read_text() == (infra / "main.beta.bicepparam").read_text()
    told = [call[2:] for call in cloud.calls if call[:2] == ["env", "set"]]
    assert told == [["AUTH_CLIENT_ID", CLIENT_ID], ["BUDGET_START", "2026-03-01"]]
