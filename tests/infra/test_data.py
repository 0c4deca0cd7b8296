"""What is kept is kept as the code expects it, and no longer than promised."""

import inspect

from tests.infra.bicep import Expression, Loop
from tests.infra.templates import Break, Infra, holds_until
from voice_core.adapters.cosmos.container import PARTITION_KEY
from voice_core.adapters.cosmos.conversations import CosmosConversations
from voice_core.adapters.cosmos.documents import INDEXING_POLICY

COSMOS, STORAGE = "modules/cosmos.bicep", "modules/storage.bicep"
CONTAINER = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers"
CLIPS, ARTEFACTS, DEPLOYMENT = "clips", "artefacts", "deployment"


@holds_until(Break(COSMOS, "paths: ['/userId']", "paths: ['/id']"), Break(COSMOS, "kind: 'Hash'", "kind: 'Range'"))
def test_the_partition_key_is_the_codes(infra: Infra) -> None:
    """Documents are partitioned by user, as the adapter writes them."""
    key = infra.only(CONTAINER).properties["resource"]["partitionKey"]
    assert key["paths"] == [PARTITION_KEY]
    assert key["kind"] == "Hash"


@holds_until(Break(COSMOS, "defaultTtl: -1", "defaultTtl: 3600"), Break(COSMOS, "      defaultTtl: -1\n", ""))
def test_documents_say_themselves_how_long_they_live(infra: Infra) -> None:
    """TTL is on and has no default: the adapter gives every document its own."""
    assert infra.only(CONTAINER).properties["resource"].get("defaultTtl") == -1


@holds_until(
    Break(COSMOS, "path: '/seq/?'", "path: '/sequence/?'"),
    Break(COSMOS, "indexingMode: 'consistent'", "indexingMode: 'none'"),
    Break(COSMOS, "path: '/*'", "path: '/transcript/?'"),
)
def test_the_index_is_the_codes(infra: Infra) -> None:
    """What queries filter and sort by is indexed, and nothing else."""
    assert infra.only(CONTAINER).properties["resource"]["indexingPolicy"] == INDEXING_POLICY


@holds_until(
    Break(COSMOS, "name: 'conversations'", "name: 'chats'"),
    Break(COSMOS, "id: 'conversations'", "id: 'chats'"),
)
def test_the_container_is_the_one_the_code_opens(infra: Infra) -> None:
    """The adapter's container exists under its name."""
    opened = inspect.signature(CosmosConversations).parameters["container"].default
    container = infra.only(CONTAINER)
    assert container.content["name"] == opened
    assert container.properties["resource"]["id"] == opened


@holds_until(
    Break(COSMOS, "output database string = voice.name", "output database string = 'other'"),
    Break("main.bicep", "COSMOS_DATABASE: cosmos.outputs.database", "COSMOS_DATABASE: 'other'"),
    Break(COSMOS, "id: database", "id: 'other'"),
)
def test_the_code_is_told_the_database_that_is_made(infra: Infra) -> None:
    """The database's name is decided once, and handed on."""
    _, parameters = infra.template("main.bicep").modules["functionApp"]
    database = infra.only("Microsoft.DocumentDB/databaseAccounts/sqlDatabases")
    assert parameters["settings"].arguments[1]["COSMOS_DATABASE"] == Expression("cosmos.outputs.database")
    assert infra.template(COSMOS).outputs["database"] == Expression("voice.name")
    assert database.content["name"] == database.properties["resource"]["id"]


@holds_until(Break(COSMOS, "name: 'EnableServerless'", "name: 'EnableTable'"))
def test_an_idle_database_costs_its_storage_only(infra: Infra) -> None:
    """Cosmos DB is serverless: nothing is reserved."""
    account = infra.only("Microsoft.DocumentDB/databaseAccounts")
    assert account.properties["capabilities"] == [{"name": "EnableServerless"}]


@holds_until(Break(STORAGE, "[deploymentContainer, clipsContainer, artefactsContainer]", "[deploymentContainer]"))
def test_storage_has_its_three_containers(infra: Infra) -> None:
    """The package, the clips and what is made of them each have a place."""
    loop = infra.only("Microsoft.Storage/storageAccounts/blobServices/containers").body
    assert isinstance(loop, Loop)
    names = infra.template(STORAGE).variables
    assert {names[each.source] for each in loop.over} == {CLIPS, ARTEFACTS, DEPLOYMENT}


@holds_until(
    Break(STORAGE, "container: artefactsContainer", "container: clipsContainer"),
    Break(STORAGE, "{ container: clipsContainer, days: clipDays }", "{ container: deploymentContainer, days: 1 }"),
    Break(STORAGE, "prefixMatch: ['${expiry.container}/']", "prefixMatch: []"),
    Break(STORAGE, "enabled: true", "enabled: false"),
)
def test_recordings_expire(infra: Infra) -> None:
    """Clips and what is made of them are deleted in time; the deployed package never is."""
    loop = infra.only("Microsoft.Storage/storageAccounts/managementPolicies").properties["policy"]["rules"]
    rule = loop.body
    expiring = {infra.template(STORAGE).variables[each["container"].source] for each in loop.over}
    assert expiring == {CLIPS, ARTEFACTS}
    assert rule["enabled"] is True
    assert rule["definition"]["filters"]["prefixMatch"] == [Expression("'${expiry.container}/'")]
    assert "daysAfterModificationGreaterThan" in rule["definition"]["actions"]["baseBlob"]["delete"]


@holds_until(
    Break(STORAGE, "deleteRetentionPolicy: {\n      enabled: false", "deleteRetentionPolicy: {\n      enabled: true"),
)
def test_deleted_audio_is_gone(infra: Infra) -> None:
    """Nothing deleted lingers behind a person's back."""
    blobs = infra.only("Microsoft.Storage/storageAccounts/blobServices").properties
    assert blobs["deleteRetentionPolicy"] == {"enabled": False}
    assert blobs["containerDeleteRetentionPolicy"] == {"enabled": False}


@holds_until(Break("main.prod.bicepparam", "artefactDays: 30", "artefactDays: 365"))
def test_audio_does_not_outlive_its_conversation(infra: Infra) -> None:
    """In every environment recordings are deleted before the conversation they belong to."""
    for environment in infra.environments.values():
        days = int(environment["settings"]["CONVERSATION_DAYS"])
        assert environment["retention"]["clipDays"] <= environment["retention"]["artefactDays"] <= days
