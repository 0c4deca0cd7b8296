"""Names of resources are derived, not typed, and valid for each service."""

import re

from tests.infra.bicep import Call, Expression, Loop, Resource
from tests.infra.templates import Break, Infra, holds_until

MAIN = "main.bicep"


@holds_until(
    Break("modules/speech.bicep", "  name: name\n", "  name: 'my-speech'\n"),
    Break("modules/workbook.bicep", "name: guid(resourceGroup().id, 'voice')", "name: 'workbook'"),
)
def test_main_names_all_top_level_resources(infra: Infra) -> None:
    """Top-level resources take their names from main.bicep; only parts of a resource are named in their module."""
    for template in infra.templates.values():
        for resource in template.resources.values():
            if not resource.existing and not _is_part(resource):
                assert not isinstance(resource.content["name"], str), resource.content["name"]


@holds_until(
    Break(MAIN, "name: 'speech-${stem}-${unique}'", "name: 'speech'"),
    Break(MAIN, "name: 'stvoice${unique}'", "name: 'stvoice${environmentName}'"),
    Break(MAIN, "endpointName: '${stem}-${unique}'", "endpointName: stem"),
)
def test_globally_unique_names_are_derived(infra: Infra) -> None:
    """A name that must be unique in all of Azure is derived from subscription, environment and region."""
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
def test_names_are_valid_for_their_services(infra: Infra) -> None:
    """Storage: 3 to 24 of a-z and 0-9; a firewall policy: letters and digits; a vault: 24 at the most."""
    modules = infra.template(MAIN).modules
    spelled = {symbol: _spelled(modules[symbol][1]["name"]) for symbol in ("storage", "firewall", "vault")}
    assert re.fullmatch(r"[a-z0-9]{3,24}", spelled["storage"])
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", spelled["firewall"])
    assert re.fullmatch(r"[a-zA-Z][a-zA-Z0-9-]{2,23}", spelled["vault"])


def _is_part(resource: Resource) -> bool:
    return "parent" in resource.content or "scope" in resource.content or isinstance(resource.body, Loop)


def _spelled(name: str | Expression) -> str:
    """A name with example values for its variables; uniqueString returns 13 characters."""
    written = name if isinstance(name, str) else name.source.strip("'")
    return written.replace("${unique}", "a1b2c3d4e5f6g").replace("${environmentName}", "beta")
