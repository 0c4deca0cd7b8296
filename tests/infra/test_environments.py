"""The three environments have the same parameters; limits grow with each stage of the rollout."""

from itertools import pairwise
from typing import Any

from tests.infra.bicep import Expression
from tests.infra.templates import Break, Infra, holds_until

MAIN, DEV, BETA, PROD = "main.bicep", "main.dev.bicepparam", "main.beta.bicepparam", "main.prod.bicepparam"
STAGES = ("dev", "beta", "prod")
SENSIBLE = {
    "retention.telemetryDays": (30, 730),  # Log Analytics
    "retention.clipDays": (1, 30),
    "edge.probeSeconds": (0, 255),  # Front Door
    "alertThresholds.failedPercent": (1, 5),
    "alertThresholds.slowTurnMs": (5000, 10_000),
    "alertThresholds.firstAudioMs": (1000, 6000),
    "alertThresholds.throttledRequests": (1, 50),
    "settings.TURNS_PER_MINUTE": (5, 60),
    "settings.SESSIONS_PER_HOUR": (5, 120),
    "settings.AUDIO_SECONDS_PER_DAY": (600, 86_400),
    "settings.MAX_AUDIO_SECONDS": (30, 120),
    "settings.MAX_AUDIO_BYTES": (1_000_000, 100_000_000),  # what a Functions host takes
    "settings.BODY_SECONDS": (10, 230),  # an HTTP trigger's time
    "settings.SESSION_MAX_SECONDS": (60, 3600),
    "settings.SLOW_TURN_SECONDS": (1, 10),
}
"""Lowest and highest sensible value of each parameter."""


def climb(infra: Infra, group: str, name: str) -> list[Any]:
    """A parameter's value at each stage."""
    return [infra.environments[stage][group][name] for stage in STAGES]


def rises(values: list[Any]) -> bool:
    return all(earlier <= later for earlier, later in pairwise(values))


@holds_until(
    Break(DEV, "param alertEmail", "param alertMail"),
    Break(PROD, "  capacity: 500\n", ""),
    Break(BETA, "  MAX_AUDIO_SECONDS: '60'\n", ""),
)
def test_all_environments_have_the_same_parameters(infra: Infra) -> None:
    """All parameter files have the same keys, nested ones included."""
    dev, *others = (_shape(environment) for environment in infra.environments.values())
    assert all(other == dev for other in others)


@holds_until(
    Break(MAIN, "param alertEmail string", "param operators string"),
    Break("choices.bicep", "  wafMode: 'Detection' | 'Prevention'\n", ""),
    Break(DEV, "  artefactDays: 7\n", ""),
)
def test_every_environment_gives_exactly_what_main_requires(infra: Infra) -> None:
    """Each parameter of main.bicep and each property of its type is given, and no other."""
    types = infra.template("choices.bicep").types
    required = {name: frozenset(types.get(kind, {})) for name, kind in infra.template(MAIN).parameters.items()}
    for environment in infra.environments.values():
        assert {name: frozenset(inner) for name, inner in _shape(environment).items()} == required


@holds_until(
    Break(PROD, "param environmentName = 'prod'", "param environmentName = 'beta'"),
    Break(MAIN, "@allowed(['dev', 'beta', 'prod'])", "@allowed(['dev', 'prod'])"),
)
def test_a_parameter_file_names_its_own_environment(infra: Infra) -> None:
    """The environment in a parameter file is that of its file name, so that deploying one never touches another."""
    assert tuple(infra.template(MAIN).allowed("environmentName")) == STAGES
    assert {name: each["environmentName"] for name, each in infra.environments.items()} == {s: s for s in STAGES}


@holds_until(
    Break(PROD, "wafMode: 'Prevention'", "wafMode: 'Detection'"),
    Break(PROD, "sku: 'Premium_AzureFrontDoor'", "sku: 'Standard_AzureFrontDoor'"),
)
def test_production_has_the_complete_firewall(infra: Infra) -> None:
    """In prod the firewall has managed rules, and its mode disables no rule."""
    edge = infra.environments["prod"]["edge"]
    assert edge["wafMode"] == "Prevention"
    assert edge["sku"] == "Premium_AzureFrontDoor"


@holds_until(
    Break(BETA, "wafMode: 'Prevention'", "wafMode: 'Detection'"),
    Break(PROD, "wafMode: 'Prevention'", "wafMode: 'Detection'"),
)
def test_the_firewall_blocks_in_beta_and_prod(infra: Infra) -> None:
    """Only in dev, which is for the team, does the firewall log without blocking."""
    assert climb(infra, "edge", "wafMode") == ["Detection", "Prevention", "Prevention"]


@holds_until(Break(BETA, "sku: 'Standard_AzureFrontDoor'", "sku: 'Premium_AzureFrontDoor'"))
def test_beta_has_no_managed_rules(infra: Infra) -> None:
    """In beta the firewall blocks by address only."""
    assert infra.environments["beta"]["edge"]["sku"] == "Standard_AzureFrontDoor"


@holds_until(
    Break(PROD, "telemetryDays: 90", "telemetryDays: 1000"),
    Break(PROD, "firstAudioMs: 3000", "firstAudioMs: 30000"),
    Break(PROD, "throttledRequests: 10", "throttledRequests: 100000"),
    Break(PROD, "probeSeconds: 100", "probeSeconds: 300"),
    Break(PROD, "TURNS_PER_MINUTE: '10'", "TURNS_PER_MINUTE: '1000000'"),
    Break(PROD, "SESSION_MAX_SECONDS: '1800'", "SESSION_MAX_SECONDS: '99999'"),
)
def test_numbers_are_within_sensible_ranges(infra: Infra) -> None:
    """Each figure is within what the service accepts or a person needs; others are typing errors."""
    for environment in infra.environments.values():
        for path, (least, most) in SENSIBLE.items():
            group, name = path.split(".")
            assert least <= int(environment[group][name]) <= most, path


@holds_until(
    Break(DEV, "sku: 'Standard_AzureFrontDoor'", "sku: 'Premium_AzureFrontDoor'"),
    Break(DEV, "alwaysReadyHttp: 0", "alwaysReadyHttp: 1"),
    Break(DEV, "telemetryDailyCapGb: 1", "telemetryDailyCapGb: -1"),
)
def test_development_costs_little_when_idle(infra: Infra) -> None:
    """In dev no instance is always ready, and telemetry is capped."""
    dev = infra.environments["dev"]
    assert dev["edge"]["sku"] == "Standard_AzureFrontDoor"
    assert dev["scale"]["alwaysReadyHttp"] == dev["scale"]["alwaysReadyBlob"] == 0
    assert dev["retention"]["telemetryDailyCapGb"] > 0


@holds_until(
    Break(PROD, "capacity: 500", "capacity: 50"),
    Break(BETA, "maximumInstances: 40", "maximumInstances: 400"),
    Break(PROD, "alwaysReadyHttp: 2", "alwaysReadyHttp: 0"),
    Break(PROD, "requestsPerFiveMinutes: 1000", "requestsPerFiveMinutes: 100"),
    Break(BETA, "amount: 400", "amount: 4000"),
)
def test_each_stage_of_the_rollout_has_more_capacity(infra: Infra) -> None:
    """Limits and always-ready instances never fall from one stage to the next."""
    assert rises(climb(infra, "model", "capacity"))
    assert rises(climb(infra, "scale", "maximumInstances"))
    assert rises(climb(infra, "scale", "alwaysReadyHttp"))
    assert rises(climb(infra, "edge", "requestsPerFiveMinutes"))
    assert rises(climb(infra, "budget", "amount"))


@holds_until(
    Break(PROD, "slowTurnMs: 5000", "slowTurnMs: 20000"),
    Break(BETA, "failedPercent: 2", "failedPercent: 10"),
)
def test_each_stage_of_the_rollout_is_stricter(infra: Infra) -> None:
    """Alert thresholds never rise from one stage to the next."""
    assert rises([-value for value in climb(infra, "alertThresholds", "failedPercent")])
    assert rises([-value for value in climb(infra, "alertThresholds", "slowTurnMs")])


@holds_until(
    Break(BETA, "name: 'gpt-5.4-mini'", "name: 'gpt-5.4'"),
    Break(PROD, "SPEECH_LANGUAGE: 'en-US'", "SPEECH_LANGUAGE: 'en-GB'"),
)
def test_all_stages_have_the_model_and_voice_of_production(infra: Infra) -> None:
    """Testers judge what is released: model, voice and prompts are the same as in prod."""
    names = {"SPEECH_LANGUAGE", "SPEECH_VOICE", "SYSTEM_PROMPT", "HISTORY_TURNS", "HISTORY_TOKENS", "MAX_REPLY_TOKENS"}
    names |= {"OPENAI_REASONING_EFFORT", "CLIP_PROMPT", "CLIP_SUMMARY_CHARACTERS"}
    for stage in ("dev", "beta"):
        environment, prod = infra.environments[stage], infra.environments["prod"]
        assert [environment["model"][name] for name in ("name", "version")] == [
            prod["model"][name] for name in ("name", "version")
        ]
        assert [environment["settings"][name] for name in names] == [prod["settings"][name] for name in names]


@holds_until(
    Break(MAIN, "'modules/speech.bicep'", "'br/public:avm/res/cognitive-services/account:0.1.0'"),
    Break(MAIN, "module workbook 'modules/workbook.bicep'", "module workbook 'modules/speech.bicep'"),
)
def test_modules_are_local_and_each_is_used_once(infra: Infra) -> None:
    """main.bicep uses every file in modules/ once, and no other module."""
    used = sorted(path for path, _ in infra.template(MAIN).modules.values())
    assert used == sorted(file for file in infra.templates if file.startswith("modules/"))


@holds_until(
    Break(MAIN, "targetScope = 'subscription'", "targetScope = 'resourceGroup'"),
    Break(MAIN, "  scope: group\n", "  scope: resourceGroup('other')\n"),
)
def test_one_command_creates_the_resource_group_too(infra: Infra) -> None:
    """main.bicep is deployed to a subscription, and creates one resource group, which contains everything else."""
    assert infra.template(MAIN).scope == "subscription"
    assert infra.texts[MAIN].count("\n  scope: group\n") == len(infra.template(MAIN).modules)
    assert [resource.type for resource in infra.template(MAIN).resources.values()] == [
        "Microsoft.Resources/resourceGroups"
    ]


@holds_until(
    Break("modules/openai.bicep", "  tags: tags\n", ""),
    Break("modules/functionapp.bicep", "'azd-service-name': 'api'", "'azd-service-name': 'web'"),
    Break(MAIN, "'azd-env-name': environmentName", "'env': environmentName"),
)
def test_azd_finds_what_it_deploys_to(infra: Infra) -> None:
    """The group is tagged with the environment, the app with its name in azure.yaml; every resource has the tags."""
    app = infra.only("Microsoft.Web/sites").content["tags"]
    assert app.arguments == [Expression("tags"), {"azd-service-name": "api"}]
    assert infra.template(MAIN).variables["tags"].get("azd-env-name") == Expression("environmentName")
    for resource in infra.created():
        if "location" in resource.content:
            assert "tags" in resource.content, resource.type


def _shape(environment: dict[str, Any]) -> dict[str, frozenset[str]]:
    return {name: frozenset(value) if isinstance(value, dict) else frozenset() for name, value in environment.items()}
