"""Values reach the right resources through all modules: rules that hold whatever the reviewed pins say."""

import re
from typing import Any

from tests.infra.resolved_template import main_scope, written
from tests.infra.templates import Break, Infra, holds_until

MAIN, ACCESS, ALERTS, APP = "main.bicep", "modules/access.bicep", "modules/alerts.bicep", "modules/functionapp.bicep"
STORAGE, BUDGET, WAF = "modules/storage.bicep", "modules/budget.bicep", "modules/waf.bicep"
ROUTING, DIAGNOSTICS = "modules/frontdoor-routing.bicep", "modules/diagnostics.bicep"

SPEECH, ASSISTANT = "accounts('speech-${stem}-${unique}')", "accounts('openai-${stem}-${unique}')"
BLOBS, COSMOS = "storageAccounts('stvoice${unique}')", "databaseAccounts('cosmos-${stem}-${unique}')"
IDENTITY = "userAssignedIdentities('id-${stem}-${unique}')"

ROLES = {
    "Storage Blob Data Owner": BLOBS,
    "Storage Queue Data Contributor": BLOBS,
    "Cognitive Services Speech User": SPEECH,
    "Cognitive Services OpenAI User": ASSISTANT,
    "Key Vault Secrets User": "vaults('kv-voice-${unique}')",
    "Monitoring Metrics Publisher": "components('appi-${stem}-${unique}')",
    "Cosmos DB Built-in Data Contributor": f"'${{{COSMOS}.id}}/dbs/voice'",
}
"""The resource on which each role is assigned."""

SETTINGS = {
    "SPEECH_ENDPOINT": f"{SPEECH}.properties.endpoint",
    "OPENAI_ENDPOINT": f"'${{{ASSISTANT}.properties.endpoint}}openai/v1/'",
    "OPENAI_MODEL": "model.name",
    "COSMOS_ENDPOINT": f"{COSMOS}.properties.documentEndpoint",
    "COSMOS_DATABASE": "'voice'",
    "STORAGE_URL": f"{BLOBS}.properties.primaryEndpoints.blob",
    "STT_CONCURRENT": "string(scale.requestsPerInstance)",
    "TTS_CONCURRENT": "string(2 * scale.requestsPerInstance)",
    "CLIP_DAYS": "string(retention.artefactDays)",
    "USER_SALT": "guid(resourceGroups('rg-${stem}').id, 'users')",
    "TURN_SECRET": "empty(settings.TURN_URLS) ? '' : "
    "'@Microsoft.KeyVault(VaultName=kv-voice-${unique};SecretName=turn-secret)'",
    "AZURE_CLIENT_ID": f"{IDENTITY}.properties.clientId",
    "AUTH_MODE": "'easyauth'",
    "AzureWebJobsStorage__credential": "'managedidentity'",
    "AzureWebJobsStorage__clientId": f"{IDENTITY}.properties.clientId",
    "AzureWebJobsStorage__blobServiceUri": f"{BLOBS}.properties.primaryEndpoints.blob",
    "AzureWebJobsStorage__queueServiceUri": f"{BLOBS}.properties.primaryEndpoints.queue",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "components('appi-${stem}-${unique}').properties.ConnectionString",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": f"'ClientId=${{{IDENTITY}.properties.clientId}};Authorization=AAD'",
}
"""The app's settings that no parameter file sets."""


SPARE = """resource spare 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: openAi
  properties: {
    roleDefinitionId: roles['Cognitive Services Speech User']
    principalId: principalId
  }
}

"""
"""A role that is already assigned on its own resource, assigned on another resource too."""


def resolved_body(infra: Infra, module: str, symbol: str) -> Any:
    """The body of a resource with all names resolved."""
    scope = main_scope(infra).modules[module]
    return scope.resolved(scope.template.resources[symbol].body)


def short(value: Any) -> str:
    return written(value).replace("voice-${environmentName}", "${stem}")


@holds_until(
    Break(ACCESS, "  scope: vault\n", "  scope: storage\n"),
    Break(ACCESS, "  name: speechName\n", "  name: openAiName\n"),
    Break(MAIN, "    speechName: speech.outputs.name\n", "    speechName: openAi.outputs.name\n"),
    Break(MAIN, "principalId: identity.outputs.principalId", "principalId: identity.outputs.clientId"),
    Break(ACCESS, "/dbs/${cosmosDatabase}", "/dbs/all"),
    Break(ACCESS, "resource usesSpeech ", f"{SPARE}resource usesSpeech "),
)
def test_each_role_is_given_to_the_app_on_its_resource(infra: Infra) -> None:
    """Each role is assigned once, on its own resource, to the app's one identity."""
    scopes = []
    for symbol, resource in infra.template(ACCESS).resources.items():
        if not resource.existing:
            given = resolved_body(infra, "access", symbol)
            (role,) = re.findall(r"roles\['([^']+)'\]", short(given["properties"]["roleDefinitionId"]))
            scopes.append((role, short(given["properties"].get("scope", given.get("scope")))))
            assert short(given["properties"]["principalId"]) == f"{IDENTITY}.properties.principalId"
    assert sorted(scopes) == sorted(ROLES.items())


@holds_until(
    Break(MAIN, "SPEECH_ENDPOINT: speech.outputs.endpoint", "SPEECH_ENDPOINT: openAi.outputs.baseUrl"),
    Break(MAIN, "identityClientId: identity.outputs.clientId", "identityClientId: identity.outputs.principalId"),
    Break(STORAGE, "account.properties.primaryEndpoints.queue", "account.properties.primaryEndpoints.table"),
    Break(MAIN, "guid(group.id, 'users')", "newGuid()"),
    Break(MAIN, "string(retention.artefactDays)", "string(retention.clipDays)"),
    Break(APP, "ClientId=${identityClientId};Authorization=AAD", "Authorization=Key"),
    Break(APP, "    AzureWebJobsStorage__queueServiceUri: queueEndpoint\n", ""),
)
def test_each_setting_comes_from_its_own_resource(infra: Infra) -> None:
    """Each setting that depends on a resource has the value of the resource that it is named for."""
    chosen, wired = resolved_body(infra, "functionApp", "appSettings")["properties"].arguments
    settings = chosen.arguments[1] | wired
    assert short(chosen.arguments[0]) == "settings"
    assert {name: short(value) for name, value in settings.items()} == SETTINGS


@holds_until(
    Break(ALERTS, "query: alert.query", "query: queryAlerts[0].query"),
    Break(ALERTS, "metricMeasureColumn: alert.column", "metricMeasureColumn: 'p95Ms'"),
    Break(ALERTS, "            operator: 'GreaterThan'\n", "            operator: 'LessThan'\n"),
    Break(ALERTS, "threshold: alert.threshold", "threshold: 1000"),
    Break(ALERTS, "scopes: [alert.scope]", "scopes: [profile.id]"),
    Break(ALERTS, "timeAggregation: 'Maximum'", "timeAggregation: 'Minimum'"),
)
def test_each_alert_has_its_own_query_and_threshold(infra: Infra) -> None:
    """Every entry of the two lists becomes an alert with its own query or metric, scope and threshold."""
    lists = infra.template(ALERTS).variables
    criteria = [each["properties"]["criteria"]["allOf"][0] for each in resolved_body(infra, "alerts", "onTelemetry")]
    measured = resolved_body(infra, "alerts", "onMetrics")
    scope = main_scope(infra).modules["alerts"]
    for one, line in zip(criteria, scope.resolved(lists["queryAlerts"]), strict=True):
        assert one["query"].arguments == [f"../queries/{line['name']}.kql"]
        assert (one["metricMeasureColumn"], one["threshold"]) == (line["column"], line["threshold"])
        assert (one["timeAggregation"], one["operator"]) == ("Maximum", "GreaterThan")
    for each, line in zip(measured, scope.resolved(lists["metricAlerts"]), strict=True):
        (one,) = each["properties"]["criteria"]["allOf"]
        assert each["properties"]["scopes"] == [line["scope"]]
        assert (one["metricName"], one["timeAggregation"]) == (line["metric"], line["aggregation"])
        assert (one["dimensions"], one["threshold"]) == (line["dimensions"], line["threshold"])
        assert one["operator"] == "GreaterThan"


@holds_until(
    Break(WAF, "      enabledState: 'Enabled'\n      mode", "      enabledState: 'Disabled'\n      mode"),
    Break(WAF, "          enabledState: 'Enabled'\n", "          enabledState: 'Disabled'\n"),
    Break(MAIN, "mode: edge.wafMode", "mode: 'Detection'"),
    Break(
        ROUTING,
        "  properties: {\n    enabledState: 'Enabled'\n  }",
        "  properties: {\n    enabledState: 'Disabled'\n  }",
    ),
    Break(ROUTING, "    weight: 1000\n    enabledState: 'Enabled'", "    weight: 1000\n    enabledState: 'Disabled'"),
    Break(APP, "priority: 100\n          action: 'Allow'", "priority: 100\n          action: 'Deny'"),
    Break(APP, "azureActiveDirectory: {\n        enabled: true", "azureActiveDirectory: {\n        enabled: false"),
    Break(BUDGET, "        enabled: true\n", "        enabled: false\n"),
    Break(DIAGNOSTICS, "        enabled: true\n", "        enabled: false\n"),
)
def test_everything_deployed_is_enabled(infra: Infra) -> None:
    """Firewall, route, access restrictions, authentication, budget and logs are all enabled."""
    firewall = resolved_body(infra, "firewall", "policy")["properties"]
    settings, (rule,) = firewall["policySettings"], firewall["customRules"]["rules"]
    assert {settings["enabledState"], rule["enabledState"]} == {"Enabled"}
    assert short(settings["mode"]) == "edge.wafMode"
    for symbol in ("endpoint", "origin", "route"):
        assert resolved_body(infra, "routing", symbol)["properties"]["enabledState"] == "Enabled"
    lock = resolved_body(infra, "functionApp", "app")["properties"]["siteConfig"]["ipSecurityRestrictions"]
    assert {each["action"] for each in lock} == {"Allow"}
    providers = resolved_body(infra, "functionApp", "auth")["properties"]["identityProviders"]
    assert providers["azureActiveDirectory"]["enabled"] is True
    notes = resolved_body(infra, "spending", "budget")["properties"]["notifications"].values()
    assert all(note["enabled"] is True for note in notes)
    for setting in infra.resources("Microsoft.Insights/diagnosticSettings"):
        assert all(log["enabled"] is True for log in setting.properties["logs"])
