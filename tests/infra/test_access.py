"""Nobody gets in by a key, and the app gets in nowhere it need not."""

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
    "bodies": set[str](),
    "open_telemetry": {"Monitoring Metrics Publisher"},
}
HOST_NEEDS = {
    "Storage Blob Data Owner",
    "Storage Queue Data Contributor",
    "Monitoring Metrics Publisher",
    "Key Vault Secrets User",
}
"""The Functions host itself: its state and package, its blob trigger's queues, its telemetry, settings in the vault."""

ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
COSMOS_ASSIGNMENT = "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments"


def roles(infra: Infra) -> dict[str, str]:
    table = json.loads(infra.texts["roles.json"])
    assert isinstance(table, dict)
    return table


def role_of(assignment: Resource) -> str:
    """The name under which a role assignment looks its role up."""
    match = re.search(r"roles\['([^']+)'\]", source(assignment.properties["roleDefinitionId"]))
    assert match, "a role is looked up by its name"
    return match[1]


def source(value: object) -> str:
    """A value's expressions, as written."""
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
def test_no_template_asks_for_a_key(infra: Infra) -> None:
    """A key that is never read can neither leak nor expire."""
    for file, template in infra.templates.items():
        assert not re.search(r"\blist[A-Z]\w*\(", infra.texts[file]), file
        assert not any(name.lower().endswith("key") for name in template.outputs), file


@holds_until(
    Break("modules/storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true"),
    Break("modules/storage.bicep", "    allowSharedKeyAccess: false\n", ""),
    Break("modules/storage.bicep", "defaultToOAuthAuthentication: true", "defaultToOAuthAuthentication: false"),
)
def test_storage_takes_no_shared_keys(infra: Infra) -> None:
    """Only identities, and URLs signed by one, open the storage account."""
    properties = infra.only("Microsoft.Storage/storageAccounts").properties
    assert properties["defaultToOAuthAuthentication"] is True
    assert properties.get("allowSharedKeyAccess") is False


@holds_until(
    Break("modules/storage.bicep", "allowBlobPublicAccess: false", "allowBlobPublicAccess: true"),
    Break("modules/storage.bicep", "publicAccess: 'None'", "publicAccess: 'Blob'"),
)
def test_no_container_is_public(infra: Infra) -> None:
    """What people said is never open to the world."""
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
    """Both AI accounts let identities in, for which each needs a name of its own, and nobody else."""
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
    """Who knows the connection string still cannot write our telemetry."""
    assert infra.only("Microsoft.Insights/components").properties["DisableLocalAuth"] is True
    assert infra.only("Microsoft.OperationalInsights/workspaces").properties["features"]["disableLocalAuth"] is True


@holds_until(
    Break("modules/functionapp.bicep", "allow: false", "allow: true"),
    Break("modules/functionapp.bicep", "['ftp', 'scm']", "['ftp']"),
)
def test_code_is_not_published_with_a_password(infra: Infra) -> None:
    """Both doors that take a publishing password are shut."""
    policies = infra.only("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert isinstance(policies.body, Loop)
    assert policies.body.over == ["ftp", "scm"]
    assert policies.properties["allow"] is False


@holds_until(
    Break("roles.json", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"),
    Break("roles.json", "Cognitive Services OpenAI User", "Cognitive Services User"),
)
def test_role_names_match_their_ids(infra: Infra) -> None:
    """A role is what it is called: names and ids are pinned to Microsoft's list."""
    assert roles(infra) == ROLE_IDS


@holds_until(
    Break(ACCESS, "roles['Cognitive Services Speech User']", "roles['Cognitive Services OpenAI User']"),
    Break(ACCESS, "roles['Storage Queue Data Contributor']", "roles['Storage Blob Data Owner']"),
)
def test_the_app_has_the_roles_its_adapters_need(infra: Infra) -> None:
    """Roles given are those that the adapters and the host call for: none is missing, none is spare."""
    adapters = {path.stem for path in (ROOT / "voice_core" / "adapters").iterdir() if path.stem[0] not in "_."}
    assert adapters <= set(ADAPTERS_NEED)
    assert {role_of(assignment) for assignment in assignments(infra)} == HOST_NEEDS.union(*ADAPTERS_NEED.values())


@holds_until(Break(ACCESS, "principalType: 'ServicePrincipal'", "principalType: 'User'"))
def test_roles_are_given_to_an_identity_that_may_be_new(infra: Infra) -> None:
    """Without its type, Entra ID may not have heard of a new identity yet, and the deployment fails."""
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
def test_everything_travels_encrypted(infra: Infra) -> None:
    """No service takes plain HTTP or TLS below 1.2."""
    storage = infra.only("Microsoft.Storage/storageAccounts").properties
    site = infra.only("Microsoft.Web/sites").properties
    assert storage["minimumTlsVersion"] == "TLS1_2"
    assert storage["supportsHttpsTrafficOnly"] is True
    assert infra.only("Microsoft.DocumentDB/databaseAccounts").properties["minimalTlsVersion"] == "Tls12"
    assert site["httpsOnly"] is True
    assert site["siteConfig"]["minTlsVersion"] == "1.2"
