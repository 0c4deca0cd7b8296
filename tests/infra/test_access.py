"""No service accepts keys, and the app has only the roles that it needs."""

import json
import re

from tests.conftest import ROOT
from tests.infra.bicep import Call, Expression, Loop, Resource
from tests.infra.templates import Break, Infra, found, holds_until

ACCESS = "modules/access.bicep"
ROLE_IDS = {
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Cognitive Services Speech User": "f2dc8367-1007-4938-bd23-fe263f013447",
    "Cognitive Services OpenAI User": "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Cosmos DB Built-in Data Contributor": "00000000-0000-0000-0000-000000000002",
}
"""https://learn.microsoft.com/azure/role-based-access-control/built-in-roles; the last is Cosmos DB's own."""

ADAPTERS_NEED = {
    "azure_speech": {"Cognitive Services Speech User"},
    "azure_openai": {"Cognitive Services OpenAI User"},
    "cosmos": {"Cosmos DB Built-in Data Contributor"},
    "blob_storage": {"Storage Blob Data Owner"},
    "aiortc_sessions": set[str](),
    "entra": set[str](),
    "easy_auth": set[str](),
    "openid": set[str](),
    "bounded_body": set[str](),
    "open_telemetry": {"Monitoring Metrics Publisher"},
}
HOST_NEEDS = {
    "Storage Blob Data Owner",
    "Storage Queue Data Contributor",
    "Monitoring Metrics Publisher",
    "Key Vault Secrets User",
}
"""Roles of the Functions host: for its state and package, its blob trigger's queues, telemetry, and vault settings."""

ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
COSMOS_ASSIGNMENT = "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments"


def roles(infra: Infra) -> dict[str, str]:
    table = json.loads(infra.texts["roles.json"])
    assert isinstance(table, dict)
    return table


def role_of(assignment: Resource) -> str:
    """The name of a role assignment's role in the table of roles."""
    match = re.search(r"roles\['([^']+)'\]", source(assignment.properties["roleDefinitionId"]))
    assert match, "a role is looked up by its name"
    return match[1]


def source(value: object) -> str:
    """The expressions within a value, as written."""
    return " ".join(each.source for each in found(value) if isinstance(each, Expression))


def assignments(infra: Infra) -> list[Resource]:
    return infra.resources(ASSIGNMENT) + infra.resources(COSMOS_ASSIGNMENT)


@holds_until(
    Break(
        "modules/storage.bicep", "output name string = account.name", "output key string = account.listKeys().keys[0]"
    ),
    Break(
        "modules/openai.bicep",
        "output name string = account.name",
        "output key string = listKeys(account.id, '1').key1",
    ),
)
def test_no_template_reads_a_key(infra: Infra) -> None:
    """No template lists keys or outputs one: a key that is never read can neither leak nor expire."""
    for file, template in infra.templates.items():
        assert not re.search(r"\blist[A-Z]\w*\(", infra.texts[file]), file
        assert not any(name.lower().endswith("key") for name in template.outputs), file


@holds_until(
    Break("modules/storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true"),
    Break("modules/storage.bicep", "    allowSharedKeyAccess: false\n", ""),
    Break("modules/storage.bicep", "defaultToOAuthAuthentication: true", "defaultToOAuthAuthentication: false"),
)
def test_storage_takes_no_shared_keys(infra: Infra) -> None:
    """Only identities, and URLs that an identity signed, have access to the storage account."""
    properties = infra.only("Microsoft.Storage/storageAccounts").properties
    assert properties["defaultToOAuthAuthentication"] is True
    assert properties.get("allowSharedKeyAccess") is False


@holds_until(
    Break("modules/storage.bicep", "allowBlobPublicAccess: false", "allowBlobPublicAccess: true"),
    Break("modules/storage.bicep", "publicAccess: 'None'", "publicAccess: 'Blob'"),
)
def test_no_container_is_public(infra: Infra) -> None:
    """No recording can be read without authentication."""
    containers = infra.only("Microsoft.Storage/storageAccounts/blobServices/containers")
    assert infra.only("Microsoft.Storage/storageAccounts").properties["allowBlobPublicAccess"] is False
    assert containers.properties["publicAccess"] == "None"


@holds_until(
    Break("modules/cosmos.bicep", "disableLocalAuth: true", "disableLocalAuth: false"),
    Break(
        "modules/cosmos.bicep", "disableKeyBasedMetadataWriteAccess: true", "disableKeyBasedMetadataWriteAccess: false"
    ),
)
def test_cosmos_takes_no_keys(infra: Infra) -> None:
    """Only identities with a role read conversations."""
    properties = infra.only("Microsoft.DocumentDB/databaseAccounts").properties
    assert properties["disableLocalAuth"] is True
    assert properties["disableKeyBasedMetadataWriteAccess"] is True


@holds_until(
    Break("modules/speech.bicep", "disableLocalAuth: true", "disableLocalAuth: false"),
    Break("modules/openai.bicep", "    disableLocalAuth: true\n", ""),
    Break("modules/speech.bicep", "customSubDomainName: name", "customSubDomainName: ''"),
)
def test_speech_and_assistant_take_no_keys(infra: Infra) -> None:
    """Both AI accounts accept identities only, for which each needs a subdomain of its own."""
    accounts = infra.resources("Microsoft.CognitiveServices/accounts")
    assert len(accounts) == 2
    for account in accounts:
        assert account.properties.get("disableLocalAuth") is True
        assert account.properties["customSubDomainName"] == account.content["name"]


@holds_until(
    Break("modules/monitoring.bicep", "DisableLocalAuth: true", "DisableLocalAuth: false"),
    Break("modules/monitoring.bicep", "disableLocalAuth: true", "disableLocalAuth: false"),
)
def test_telemetry_takes_no_keys(infra: Infra) -> None:
    """A caller with nothing but the connection string cannot write our telemetry."""
    assert infra.only("Microsoft.Insights/components").properties["DisableLocalAuth"] is True
    assert infra.only("Microsoft.OperationalInsights/workspaces").properties["features"]["disableLocalAuth"] is True


@holds_until(
    Break("modules/functionapp.bicep", "allow: false", "allow: true"),
    Break("modules/functionapp.bicep", "['ftp', 'scm']", "['ftp']"),
)
def test_code_is_not_published_with_a_password(infra: Infra) -> None:
    """Both endpoints that accept a publishing password are disabled."""
    policies = infra.only("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert isinstance(policies.body, Loop)
    assert policies.body.over == ["ftp", "scm"]
    assert policies.properties["allow"] is False


@holds_until(
    Break("roles.json", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"),
    Break("roles.json", "Cognitive Services OpenAI User", "Cognitive Services User"),
)
def test_role_names_match_their_ids(infra: Infra) -> None:
    """Names and ids of roles are those of Microsoft's list."""
    assert roles(infra) == ROLE_IDS


@holds_until(
    Break(ACCESS, "roles['Cognitive Services Speech User']", "roles['Cognitive Services OpenAI User']"),
    Break(ACCESS, "roles['Storage Queue Data Contributor']", "roles['Storage Blob Data Owner']"),
)
def test_the_app_has_the_roles_its_adapters_need(infra: Infra) -> None:
    """The assigned roles are exactly those that the adapters and the host need."""
    adapters = {path.stem for path in (ROOT / "voice_core" / "adapters").iterdir() if path.stem[0] not in "_."}
    assert adapters <= set(ADAPTERS_NEED)
    assert {role_of(assignment) for assignment in assignments(infra)} == HOST_NEEDS.union(*ADAPTERS_NEED.values())


@holds_until(Break(ACCESS, "principalType: 'ServicePrincipal'", "principalType: 'User'"))
def test_role_assignments_state_the_principal_type(infra: Infra) -> None:
    """Without the type, a deployment fails when Entra ID does not know the new identity yet."""
    assert all(
        assignment.properties["principalType"] == "ServicePrincipal" for assignment in infra.resources(ASSIGNMENT)
    )


@holds_until(
    Break(ACCESS, "name: guid(speech.id, principalId, roles['Cognitive Services Speech User'])", "name: newGuid()"),
    Break(ACCESS, "name: guid(cosmos.id, principalId,", "name: guid(cosmos.id,"),
)
def test_a_second_deployment_gives_the_same_roles(infra: Infra) -> None:
    """An assignment's name follows from resource, identity and role: a second run changes nothing."""
    for assignment in assignments(infra):
        name = assignment.content["name"]
        assert isinstance(name, Call)
        assert name.function == "guid"
        assert f"roles['{role_of(assignment)}']" in source(name)
        assert "principalId" in source(name)


@holds_until(Break(ACCESS, "'Microsoft.Authorization/roleDefinitions'", "'Microsoft.Authorization/roleAssignments'"))
def test_roles_are_looked_up_in_the_subscription(infra: Infra) -> None:
    """Built-in roles live in the subscription, not in a resource group."""
    for assignment in infra.resources(ASSIGNMENT):
        definition = assignment.properties["roleDefinitionId"]
        assert definition.function == "subscriptionResourceId"
        assert definition.arguments[0] == "Microsoft.Authorization/roleDefinitions"


@holds_until(
    Break("modules/storage.bicep", "minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: 'TLS1_0'"),
    Break("modules/storage.bicep", "supportsHttpsTrafficOnly: true", "supportsHttpsTrafficOnly: false"),
    Break("modules/cosmos.bicep", "minimalTlsVersion: 'Tls12'", "minimalTlsVersion: 'Tls'"),
    Break("modules/functionapp.bicep", "httpsOnly: true", "httpsOnly: false"),
    Break("modules/functionapp.bicep", "minTlsVersion: '1.2'", "minTlsVersion: '1.0'"),
)
def test_all_traffic_is_encrypted(infra: Infra) -> None:
    """No service accepts plain HTTP or TLS below 1.2."""
    storage = infra.only("Microsoft.Storage/storageAccounts").properties
    site = infra.only("Microsoft.Web/sites").properties
    assert storage["minimumTlsVersion"] == "TLS1_2"
    assert storage["supportsHttpsTrafficOnly"] is True
    assert infra.only("Microsoft.DocumentDB/databaseAccounts").properties["minimalTlsVersion"] == "Tls12"
    assert site["httpsOnly"] is True
    assert site["siteConfig"]["minTlsVersion"] == "1.2"
