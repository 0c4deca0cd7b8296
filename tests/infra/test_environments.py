"""Three environments of one kind: the same questions answered, each stage of the rollout more than the one before."""

import re
from itertools import pairwise
from typing import Any

from tests.infra.bicep import Call, Expression, Loop, Resource
from tests.infra.templates import Break, Infra, holds_until

MAIN, DEV, BETA, PROD = "main.bicep", "main.dev.bicepparam", "main.beta.bicepparam", "main.prod.bicepparam"
STAGES = ("dev", "beta", "prod")


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
def test_every_environment_answers_the_same_questions(infra: Infra) -> None:
    """All parameter files have the same keys, in their objects too."""
    dev, *others = (_shape(environment) for environment in infra.environments.values())
    assert all(other == dev for other in others)


@holds_until(
    Break(MAIN, "param alertEmail string", "param operators string"),
    Break("choices.bicep", "  wafMode: 'Detection' | 'Prevention'\n", ""),
    Break(DEV, "  artefactDays: 7\n", ""),
)
def test_every_environment_answers_all_that_main_asks(infra: Infra) -> None:
    """Each parameter and each property of its type is given, and no other."""
    types = infra.template("choices.bicep").types
    asked = {name: frozenset(types.get(kind, {})) for name, kind in infra.template(MAIN).parameters.items()}
    for environment in infra.environments.values():
        assert {name: frozenset(inner) for name, inner in _shape(environment).items()} == asked


@holds_until(
    Break(PROD, "param environmentName = 'prod'", "param environmentName = 'beta'"),
    Break(MAIN, "@allowed(['dev', 'beta', 'prod'])", "@allowed(['dev', 'prod'])"),
)
def test_a_parameter_file_is_for_the_environment_it_is_named_for(infra: Infra) -> None:
    """Deploying one environment never touches another."""
    assert tuple(infra.template(MAIN).allowed["environmentName"]) == STAGES
    assert {name: each["environmentName"] for name, each in infra.environments.items()} == {s: s for s in STAGES}


@holds_until(
    Break(PROD, "wafMode: 'Prevention'", "wafMode: 'Detection'"),
    Break(PROD, "sku: 'Premium_AzureFrontDoor'", "sku: 'Standard_AzureFrontDoor'"),
)
def test_production_is_behind_the_whole_firewall(infra: Infra) -> None:
    """In prod the firewall blocks, with managed rules."""
    edge = infra.environments["prod"]["edge"]
    assert edge["wafMode"] == "Prevention"
    assert edge["sku"] == "Premium_AzureFrontDoor"


@holds_until(
    Break(DEV, "sku: 'Standard_AzureFrontDoor'", "sku: 'Premium_AzureFrontDoor'"),
    Break(DEV, "alwaysReadyHttp: 0", "alwaysReadyHttp: 1"),
    Break(DEV, "telemetryDailyCapGb: 1", "telemetryDailyCapGb: -1"),
)
def test_development_costs_little_when_idle(infra: Infra) -> None:
    """In dev nothing is kept awake for nobody, and telemetry is capped."""
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
def test_each_stage_of_the_rollout_carries_more(infra: Infra) -> None:
    """Limits and what is kept ready rise from stage to stage, never the other way."""
    assert rises(climb(infra, "model", "capacity"))
    assert rises(climb(infra, "scale", "maximumInstances"))
    assert rises(climb(infra, "scale", "alwaysReadyHttp"))
    assert rises(climb(infra, "edge", "requestsPerFiveMinutes"))
    assert rises(climb(infra, "budget", "amount"))


@holds_until(
    Break(PROD, "slowTurnMs: 5000", "slowTurnMs: 20000"),
    Break(BETA, "failedPercent: 2", "failedPercent: 10"),
)
def test_each_stage_of_the_rollout_forgives_less(infra: Infra) -> None:
    """Alerts are no later at a later stage."""
    assert rises([-value for value in climb(infra, "alertThresholds", "failedPercent")])
    assert rises([-value for value in climb(infra, "alertThresholds", "slowTurnMs")])


@holds_until(
    Break(BETA, "name: 'gpt-5.4-mini'", "name: 'gpt-5.4'"),
    Break(PROD, "SPEECH_LANGUAGE: 'en-US'", "SPEECH_LANGUAGE: 'en-GB'"),
)
def test_beta_hears_and_answers_as_production_does(infra: Infra) -> None:
    """What beta testers judge is what is released: model, voice and words to the assistant are the same."""
    said = {"SPEECH_LANGUAGE", "SPEECH_VOICE", "SYSTEM_PROMPT", "HISTORY_TURNS", "HISTORY_TOKENS", "MAX_REPLY_TOKENS"}
    said |= {"OPENAI_REASONING_EFFORT", "CLIP_PROMPT", "CLIP_SUMMARY_CHARACTERS"}
    for stage in ("dev", "beta"):
        environment, prod = infra.environments[stage], infra.environments["prod"]
        assert [environment["model"][name] for name in ("name", "version")] == [
            prod["model"][name] for name in ("name", "version")
        ]
        assert [environment["settings"][name] for name in said] == [prod["settings"][name] for name in said]


@holds_until(
    Break("modules/speech.bicep", "  name: name\n", "  name: 'my-speech'\n"),
    Break("modules/workbook.bicep", "name: guid(resourceGroup().id, 'voice')", "name: 'workbook'"),
)
def test_no_resource_has_a_name_of_its_own(infra: Infra) -> None:
    """What stands for itself takes its name from main.bicep; only parts of something are named where they are made."""
    for template in infra.templates.values():
        for resource in template.resources.values():
            if not resource.existing and not _is_part(resource):
                assert not isinstance(resource.content["name"], str), resource.content["name"]


@holds_until(
    Break(MAIN, "name: 'speech-${stem}-${unique}'", "name: 'speech'"),
    Break(MAIN, "name: 'stvoice${unique}'", "name: 'stvoice${environmentName}'"),
    Break(MAIN, "endpointName: '${stem}-${unique}'", "endpointName: stem"),
)
def test_names_in_the_worlds_namespace_are_derived(infra: Infra) -> None:
    """A name that must be one of a kind in all Azure is derived from subscription, environment and region."""
    worldwide = {"storage", "cosmos", "speech", "openAi", "functionApp", "vault"}
    modules = infra.template(MAIN).modules
    names = [modules[symbol][1]["name"] for symbol in worldwide] + [modules["routing"][1]["endpointName"]]
    unique = infra.template(MAIN).variables["unique"]
    assert all(isinstance(name, Expression) and "${unique}" in name.source for name in names)
    assert isinstance(unique, Call)
    assert unique.function == "uniqueString"
    assert len(unique.arguments) == 3


@holds_until(
    Break(MAIN, "name: 'stvoice${unique}'", "name: 'st-voice-${unique}'"),
    Break(MAIN, "name: 'stvoice${unique}'", "name: 'storagevoiceaccount${unique}'"),
    Break(MAIN, "name: 'wafvoice${environmentName}'", "name: 'waf-voice'"),
)
def test_names_are_spelled_as_the_services_demand(infra: Infra) -> None:
    """Storage: 3 to 24 of a-z and 0-9; a firewall policy: letters and digits; a vault: 24 at the most."""
    modules = infra.template(MAIN).modules
    spelled = {symbol: _spelled(modules[symbol][1]["name"]) for symbol in ("storage", "firewall", "vault")}
    assert re.fullmatch(r"[a-z0-9]{3,24}", spelled["storage"])
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", spelled["firewall"])
    assert re.fullmatch(r"[a-zA-Z][a-zA-Z0-9-]{2,23}", spelled["vault"])


@holds_until(
    Break(MAIN, "'modules/speech.bicep'", "'br/public:avm/res/cognitive-services/account:0.1.0'"),
    Break(MAIN, "module workbook 'modules/workbook.bicep'", "module workbook 'modules/speech.bicep'"),
)
def test_modules_are_local_and_each_is_used_once(infra: Infra) -> None:
    """Every file in modules/ is a part of main.bicep, and main.bicep has no other parts."""
    used = sorted(path for path, _ in infra.template(MAIN).modules.values())
    assert used == sorted(file for file in infra.templates if file.startswith("modules/"))


@holds_until(Break(MAIN, "targetScope = 'subscription'", "targetScope = 'resourceGroup'"))
def test_one_command_makes_the_resource_group_too(infra: Infra) -> None:
    """main.bicep is deployed to a subscription, and makes its one resource group."""
    assert infra.template(MAIN).scope == "subscription"
    assert [resource.type for resource in infra.template(MAIN).resources.values()] == [
        "Microsoft.Resources/resourceGroups"
    ]


@holds_until(
    Break("modules/openai.bicep", "  tags: tags\n", ""),
    Break("modules/functionapp.bicep", "'azd-service-name': 'api'", "'azd-service-name': 'web'"),
    Break(MAIN, "'azd-env-name': environmentName", "'env': environmentName"),
)
def test_azd_finds_what_it_deploys_to(infra: Infra) -> None:
    """The group is tagged with the environment, the app with its name in azure.yaml; what takes tags has them."""
    app = infra.only("Microsoft.Web/sites").content["tags"]
    assert app.arguments == [Expression("tags"), {"azd-service-name": "api"}]
    assert infra.template(MAIN).variables["tags"].get("azd-env-name") == Expression("environmentName")
    for resource in infra.made():
        if "location" in resource.content:
            assert "tags" in resource.content, resource.type


def _shape(environment: dict[str, Any]) -> dict[str, frozenset[str]]:
    return {name: frozenset(value) if isinstance(value, dict) else frozenset() for name, value in environment.items()}


def _is_part(resource: Resource) -> bool:
    return "parent" in resource.content or "scope" in resource.content or isinstance(resource.body, Loop)


def _spelled(name: str | Expression) -> str:
    """A name as the deployment would spell it; uniqueString gives 13 characters."""
    written = name if isinstance(name, str) else name.source.strip("'")
    return written.replace("${unique}", "a1b2c3d4e5f6g").replace("${environmentName}", "beta")
