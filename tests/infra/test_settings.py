"""The provisioned app settings are exactly those that the code and the host read."""

import re
from dataclasses import fields

from tests.infra.app import functions
from tests.infra.bicep import Call, Expression
from tests.infra.templates import Break, Infra, holds_until
from voice_core.settings import Settings

MAIN, CHOICES, APP = "main.bicep", "choices.bicep", "modules/functionapp.bicep"

NEVER = {
    "SPEECH_KEY": "the app authenticates with its identity",
    "OPENAI_KEY": "the app authenticates with its identity",
    "COSMOS_KEY": "the app authenticates with its identity",
    "COSMOS_CREATE": "the template creates the containers; an identity could not",
    "STORAGE_KEY": "the app authenticates with its identity",
    "STORAGE_CREATE": "the template creates the containers",
    "CLIP_SOURCE": "Event Grid, the code's default, is all that Flex Consumption supports",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "telemetry goes to Application Insights",
    "ICE_PRIVATE_ADDRESSES": "clients of a deployment have public addresses, and others must not be reached through it",
    "DEBUG_TURNS": "shows the last turns to any caller",
    "HTTP_AUTH_LEVEL": "people sign in; a key would be one more secret in every app",
    **dict.fromkeys(
        (
            *("JWT_ISSUER", "JWT_AUDIENCE", "JWT_ALGORITHMS", "JWT_JWKS_URL", "JWT_USER_CLAIM"),
            *("JWT_LEEWAY_SECONDS", "JWT_OUTAGE_HOURS", "IDENTITY_SECONDS"),
        ),
        "App Service Authentication checks tokens before the app sees them",
    ),
    **dict.fromkeys(("WEBSITE_SITE_NAME", "WEBSITE_INSTANCE_ID", "WEBSITE_AUTH_ENABLED"), "Azure sets them itself"),
}
"""Settings that the templates never set, and why."""

HOST = {
    "AzureWebJobsStorage__credential": "the host authenticates with an identity",
    "AzureWebJobsStorage__clientId": "this one: there is no system-assigned identity to fall back on",
    "AzureWebJobsStorage__blobServiceUri": "its locks, and the clips that trigger it",
    "AzureWebJobsStorage__queueServiceUri": "the queues of its blob trigger",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "the identity for telemetry: local authentication is off there",
}
"""Settings that the Functions host reads itself, and why it needs them."""

REJECTED_BY_FLEX = re.compile(
    r"FUNCTIONS_WORKER_RUNTIME|FUNCTIONS_EXTENSION_VERSION|WEBSITE_\w+|SCM_\w+|ENABLE_ORYX_BUILD|TZ|AzureWebJobsStorage"
)
"""https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#deprecated-properties-and-settings"""


def chosen(infra: Infra) -> set[str]:
    """Settings from an environment's parameter file."""
    return set(infra.template(CHOICES).types["settingChoice"])


def wired(infra: Infra) -> set[str]:
    """Settings derived from deployed resources."""
    _, parameters = infra.template(MAIN).modules["functionApp"]
    return _merged(parameters["settings"])


def own(infra: Infra) -> set[str]:
    """Settings that the function app's module adds."""
    return _merged(infra.template(APP).resources["appSettings"].body["properties"])


def provisioned(infra: Infra) -> set[str]:
    return chosen(infra) | wired(infra) | own(infra)


def _merged(union: Call) -> set[str]:
    """The names that a call of union adds to the given settings."""
    given, added = union.arguments
    assert union.function == "union"
    assert given.source == "settings"
    return set(added)


@holds_until(
    Break(CHOICES, "  MAX_AUDIO_SECONDS: string\n", ""),
    Break(CHOICES, "  SPEECH_VOICE: string\n", "  SPEECH_VOICE: string\n  SPEECH_SPEED: string\n"),
    Break(MAIN, "COSMOS_DATABASE:", "COSMOS_DB:"),
    Break(APP, "    AZURE_CLIENT_ID: identityClientId\n", ""),
)
def test_settings_are_those_the_code_reads(infra: Infra) -> None:
    """Every field of Settings is provisioned, and no setting that the code does not read."""
    read = {field.name.upper() for field in fields(Settings)}
    assert provisioned(infra) - set(HOST) == read - set(NEVER)


@holds_until(
    Break(CHOICES, "SPEECH_LANGUAGE: string", "SPEECH_KEY: string"),
    Break(MAIN, "SPEECH_ENDPOINT: speech", "COSMOS_CREATE: speech"),
    Break(APP, "AZURE_CLIENT_ID:", "CLIENT_SECRET:"),
    Break(CHOICES, "CLIP_PROMPT: string", "CLIP_SOURCE: string"),
)
def test_no_setting_carries_a_secret(infra: Infra) -> None:
    """No setting of `NEVER` is set, and none has the name of a secret but that of the relay."""
    secret = re.compile(r"(^|_)(KEY|SECRET|PASSWORD|TOKEN)$")
    assert not provisioned(infra) & set(NEVER)
    assert {name for name in provisioned(infra) if secret.search(name)} == {"TURN_SECRET"}


@holds_until(
    Break(APP, "    keyVaultReferenceIdentity: identityId\n", ""),
    Break("modules/vault.bicep", "enableRbacAuthorization: true", "enableRbacAuthorization: false"),
)
def test_the_vault_is_read_with_the_identity(infra: Infra) -> None:
    """The host reads the relay's secret with the app's identity and its role."""
    assert infra.only("Microsoft.Web/sites").properties.get("keyVaultReferenceIdentity") == Expression("identityId")
    assert infra.only("Microsoft.KeyVault/vaults").properties["enableRbacAuthorization"] is True


@holds_until(
    Break(APP, "AzureWebJobsStorage__credential: 'managedidentity'", "FUNCTIONS_WORKER_RUNTIME: 'python'"),
    Break(APP, "AZURE_CLIENT_ID:", "WEBSITE_RUN_FROM_PACKAGE:"),
    Break(APP, "AzureWebJobsStorage__credential:", "AzureWebJobsStorage:"),
)
def test_no_setting_is_one_that_flex_rejects(infra: Infra) -> None:
    """Settings of older plans, and host storage by connection string, are not set."""
    assert not {name for name in provisioned(infra) if REJECTED_BY_FLEX.fullmatch(name)}


@holds_until(Break(APP, "name: 'appsettings'", "name: 'connectionstrings'"))
def test_one_resource_sets_all_settings(infra: Infra) -> None:
    """All settings are in one resource, because a second would replace those of the first."""
    names = [config.content["name"] for config in infra.resources("Microsoft.Web/sites/config")]
    assert names.count("appsettings") == 1
    assert "connectionstrings" not in names


@holds_until(
    Break("main.prod.bicepparam", "  STT_SECONDS: '10'", "  STT_SECONDS: 'ten'"),
    Break("main.dev.bicepparam", "MAX_AUDIO_SECONDS: '60'", "MAX_AUDIO_SECONDS: '0'"),
    Break("main.beta.bicepparam", "HISTORY_TURNS: '20'", "HISTORY_TURNS: 20"),
)
def test_the_code_can_read_every_environment(infra: Infra) -> None:
    """Settings parses the values of each parameter file, which are all text."""
    endpoints = {f"{service}_ENDPOINT": "https://example.com" for service in ("SPEECH", "OPENAI", "COSMOS")}
    for environment in infra.environments.values():
        given = environment["settings"]
        assert all(isinstance(text, str) for text in given.values())
        assert readable(given | endpoints)


def readable(environ: dict[str, str]) -> bool:
    try:
        Settings.from_environ(environ)
    except Exception as error:  # noqa: BLE001 - any refusal means that the app would not start
        print(error)  # noqa: T201 - pytest shows it
        return False
    return True


def test_bindings_use_connections_that_are_provisioned() -> None:
    """The host can open the connection of every trigger with the provisioned settings."""
    connections = {function.trigger.get("connection", "AzureWebJobsStorage") for function in functions()}
    assert connections <= {"AzureWebJobsStorage"}
