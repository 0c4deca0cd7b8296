"""The function app meets the requirements of Flex Consumption."""

import re
import tomllib
from typing import Any

from tests.conftest import ROOT
from tests.infra.bicep import Call, Expression
from tests.infra.templates import Break, Infra, found, holds_until

APP = "modules/functionapp.bicep"


def flex(infra: Infra) -> dict[str, Any]:
    config = infra.only("Microsoft.Web/sites").properties["functionAppConfig"]
    assert isinstance(config, dict)
    return config


@holds_until(
    Break(APP, "name: 'FC1'", "name: 'Y1'"),
    Break(APP, "tier: 'FlexConsumption'", "tier: 'Dynamic'"),
    Break(APP, "reserved: true", "reserved: false"),
)
def test_the_plan_is_flex_consumption(infra: Infra) -> None:
    """The app has a plan of its own, which scales to zero when idle; `reserved` means Linux."""
    plan = infra.only("Microsoft.Web/serverfarms")
    assert plan.content["sku"] == {"name": "FC1", "tier": "FlexConsumption"}
    assert plan.properties["reserved"] is True


@holds_until(Break(APP, "version: '3.13'", "version: '3.10'"), Break(APP, "name: 'python'", "name: 'node'"))
def test_the_runtime_is_a_python_the_tests_run_on(infra: Infra) -> None:
    """Azure runs the newest Python that the project supports, and CI tests it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ceiling = re.search(r"<3\.(\d+)", project["requires-python"])
    assert ceiling
    runtime = flex(infra)["runtime"]
    assert runtime == {"name": "python", "version": f"3.{int(ceiling[1]) - 1}"}
    assert f"'{runtime['version']}'" in (ROOT / ".github/workflows/ci.yml").read_text()


@holds_until(
    Break(APP, "perInstanceConcurrency: requestsPerInstance", "perInstanceConcurrency: 1"),
    Break("main.prod.bicepparam", "requestsPerInstance: 16", "requestsPerInstance: 1"),
)
def test_an_instance_serves_many_at_a_time(infra: Infra) -> None:
    """The platform's default of 1 for Python is overridden, because a turn mostly waits for other services."""
    http = flex(infra)["scaleAndConcurrency"]["triggers"]["http"]
    assert http == {"perInstanceConcurrency": Expression("requestsPerInstance")}
    assert all(environment["scale"]["requestsPerInstance"] > 1 for environment in infra.environments.values())


@holds_until(
    Break("main.dev.bicepparam", "memoryMB: 2048", "memoryMB: 1024"),
    Break("main.dev.bicepparam", "maximumInstances: 40", "maximumInstances: 10"),
)
def test_sizes_are_those_that_flex_offers(infra: Infra) -> None:
    """Memory and number of instances are within the plan's limits."""
    for environment in infra.environments.values():
        assert environment["scale"]["memoryMB"] in infra.template(APP).allowed("memoryMB")
        assert 40 <= environment["scale"]["maximumInstances"] <= 1000


@holds_until(
    Break(APP, "type: 'UserAssignedIdentity'", "type: 'StorageAccountConnectionString'"),
    Break(APP, "userAssignedIdentityResourceId: identityId", "userAssignedIdentityResourceId: ''"),
    Break("main.bicep", "storage.outputs.deploymentContainerUrl", "storage.outputs.blobEndpoint"),
)
def test_the_package_is_fetched_by_identity(infra: Infra) -> None:
    """The platform reads the code from its container with the app's identity."""
    storage = flex(infra)["deployment"]["storage"]
    _, parameters = infra.template("main.bicep").modules["functionApp"]
    assert storage["type"] == "blobContainer"
    assert storage["authentication"] == {
        "type": "UserAssignedIdentity",
        "userAssignedIdentityResourceId": Expression("identityId"),
    }
    assert parameters["deploymentContainerUrl"] == Expression("storage.outputs.deploymentContainerUrl")


@holds_until(Break(APP, "type: 'UserAssigned'\n", "type: 'SystemAssigned'\n"))
def test_the_app_acts_as_the_identity_that_has_the_roles(infra: Infra) -> None:
    """The app has one user-assigned identity, which exists, with its roles, before the app does."""
    identity = infra.only("Microsoft.Web/sites").content["identity"]
    assert identity == {"type": "UserAssigned", "userAssignedIdentities": {"${identityId}": {}}}


@holds_until(
    Break(APP, "http20Enabled: true", "linuxFxVersion: 'Python|3.13'"),
    Break(APP, "http20Enabled: true", "appSettings: []"),
    Break(APP, "http20Enabled: true", "alwaysOn: true"),
)
def test_the_site_sets_nothing_that_flex_rejects(infra: Infra) -> None:
    """Values of functionAppConfig are not set again by the older properties."""
    old = {
        "linuxFxVersion",
        "appSettings",
        "alwaysOn",
        "pythonVersion",
        "functionAppScaleLimit",
        "minimumElasticInstanceCount",
    }
    assert not old & set(infra.only("Microsoft.Web/sites").properties["siteConfig"])


@holds_until(
    Break(APP, "ready.instanceCount > 0", "true"), Break("main.bicep", "blob: scale.alwaysReadyBlob", "clips: 1")
)
def test_always_ready_groups_are_those_of_the_platform(infra: Infra) -> None:
    """Instances can be always ready for requests and for clips; an empty group is omitted, not set to 0."""
    _, parameters = infra.template("main.bicep").modules["functionApp"]
    assert set(parameters["alwaysReady"]) == {"http", "blob"}
    ready = flex(infra)["scaleAndConcurrency"]["alwaysReady"]
    assert isinstance(ready, Call)
    assert ready.function == "filter"
    assert any("ready.instanceCount > 0" in each.source for each in found(ready) if isinstance(each, Expression))


@holds_until(Break("main.beta.bicepparam", "SESSIONS_MAX: '8'", "SESSIONS_MAX: '16'"))
def test_sessions_leave_room_for_turns(infra: Infra) -> None:
    """An open session is an open request, so an instance may have fewer sessions than the requests that it serves."""
    for environment in infra.environments.values():
        assert int(environment["settings"]["SESSIONS_MAX"]) < environment["scale"]["requestsPerInstance"]


@holds_until(Break("main.prod.bicepparam", "ICE_RELAY_ONLY: 'true'", "ICE_RELAY_ONLY: 'false'"))
def test_sessions_go_through_a_relay(infra: Infra) -> None:
    """Functions cannot receive UDP, so only the relay's address is offered."""
    assert all(environment["settings"]["ICE_RELAY_ONLY"] == "true" for environment in infra.environments.values())
