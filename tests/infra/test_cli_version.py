"""deploy.sh checks that az is new enough to publish."""

import pytest

from tests.infra.azure import Azure

CODE = "functionapp deployment source config-zip"


@pytest.mark.parametrize("version", ["2.86.0", "2.9.0", "1.100.0", "2.87.0b1", "2.87.0rc2", "2.87.0.dev3", "", "none"])
def test_an_old_cli_is_refused_before_anything_else(cloud: Azure, version: str) -> None:
    """With an az that would report a published app as unhealthy, nothing is read or changed; the minimum is named."""
    cloud.responses["version"]["azure-cli"] = version
    done = cloud.run("deploy.sh", "dev", "--yes")
    assert done.returncode == 1
    assert "Azure CLI 2.87.0 or newer is needed" in done.stderr
    assert version in done.stderr
    assert [call[0] for call in cloud.calls] == ["version"]


@pytest.mark.parametrize("version", ["2.87.0", "2.87.1", "2.100.0", "2.88.0b1", "3.0.0"])
def test_a_cli_that_is_new_enough_deploys(cloud: Azure, version: str) -> None:
    """Versions are compared as numbers: the app, which refuses the health check of az, is published once."""
    cloud.responses["version"]["azure-cli"] = version
    done = cloud.run("deploy.sh", "dev", "--yes")
    assert done.returncode == 0, done.stderr
    assert cloud.changes.count(CODE) == 1


def test_a_missing_cli_is_named(cloud: Azure) -> None:
    """Without az the script says what is missing and where to get it."""
    (cloud.folder / "bin" / "az").write_text("#!/bin/sh\nexit 127\n")
    done = cloud.run("deploy.sh", "dev", "--yes")
    assert done.returncode == 1
    assert "az is not installed" in done.stderr
    assert "https://learn.microsoft.com/cli/azure/install-azure-cli" in done.stderr
