"""Databases and storage are provisioned as the code expects them, and data is stored no longer than promised."""

import inspect
from typing import Any

from tests.infra.bicep import Call, Expression, Loop, Value
from tests.infra.templates import Break, Infra, holds_until
from voice_core.adapters.blob_storage.artefacts import BlobArtefacts
from voice_core.adapters.blob_storage.recordings import BlobRecordings
from voice_core.adapters.blob_storage.speeches import BlobSpeeches
from voice_core.adapters.cosmos import CosmosClips, CosmosConversations, CosmosRequests, CosmosUsage, Database
from voice_core.adapters.cosmos.container import PARTITION_KEY, indexing_policy

COSMOS, STORAGE = "modules/cosmos.bicep", "modules/storage.bicep"
CONTAINER = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers"


def containers(infra: Infra) -> dict[str, Any]:
    """The declared properties of each Cosmos DB container, by name."""
    loop = infra.only(CONTAINER).body
    assert isinstance(loop, Loop)
    indexed_paths = {each["name"]: each["indexed"] for each in infra.template(COSMOS).variables[loop.over.source]}
    return {name: _resolved(loop.body, name, indexed) for name, indexed in indexed_paths.items()}


def _resolved(body: Value, name: str, indexed: list[str]) -> Value:
    """The loop's body for one container."""
    match body:
        case dict():
            return {key: _resolved(value, name, indexed) for key, value in body.items()}
        case Expression("container.name"):
            return name
        case Call("map", [Expression("container.indexed"), Expression("path => { path: path }")]):
            return [{"path": path} for path in indexed]
    return body


def default_container(adapter: type, *others: type) -> str:
    """The container that adapters use by default."""
    (name,) = {inspect.signature(each).parameters["container"].default for each in (adapter, *others)}
    return str(name)


@holds_until(Break(COSMOS, "paths: ['/userId']", "paths: ['/id']"), Break(COSMOS, "kind: 'Hash'", "kind: 'Range'"))
def test_the_partition_key_is_that_of_the_code(infra: Infra) -> None:
    """Documents are partitioned by user, as the adapters write them."""
    for container in containers(infra).values():
        key = container["properties"]["resource"]["partitionKey"]
        assert key["paths"] == [PARTITION_KEY]
        assert key["kind"] == "Hash"


@holds_until(Break(COSMOS, "defaultTtl: -1", "defaultTtl: 3600"), Break(COSMOS, "        defaultTtl: -1\n", ""))
def test_each_document_has_its_own_ttl(infra: Infra) -> None:
    """TTL is on without a default, because the adapters give every document its own."""
    for container in containers(infra).values():
        assert container["properties"]["resource"].get("defaultTtl") == -1


@holds_until(
    Break(COSMOS, "'/seq/?'", "'/sequence/?'"),
    Break(COSMOS, "indexed: ['/conversationId/?']", "indexed: ['/status/?']"),
    Break(COSMOS, "map(container.indexed, path", "map(containers[0].indexed, path"),
    Break(COSMOS, "indexingMode: 'consistent'", "indexingMode: 'none'"),
    Break(COSMOS, "path: '/*'", "path: '/transcript/?'"),
)
def test_the_index_is_that_of_the_code(infra: Infra) -> None:
    """Paths that queries filter and sort by are indexed, and no others."""
    provisioned = {name: each["properties"]["resource"]["indexingPolicy"] for name, each in containers(infra).items()}
    assert provisioned == indexes_in_the_code()


@holds_until(
    Break(COSMOS, "name: 'conversations'", "name: 'chats'"),
    Break(COSMOS, "name: 'clips'", "name: 'jobs'"),
    Break(COSMOS, "name: 'limits'", "name: 'quotas'"),
    Break(COSMOS, "name: 'requests'", "name: 'keys'"),
    Break(COSMOS, "id: container.name", "id: 'conversations'"),
)
def test_the_containers_are_those_of_the_code(infra: Infra) -> None:
    """The adapters' containers exist under their names."""
    provisioned = containers(infra)
    assert set(provisioned) == set(indexes_in_the_code())
    for name, container in provisioned.items():
        assert container["name"] == container["properties"]["resource"]["id"] == name


@holds_until(Break(COSMOS, "id: database", "id: 'other'"))
def test_the_database_has_one_name(infra: Infra) -> None:
    """The database has the same name as a resource and in the service."""
    database = infra.only("Microsoft.DocumentDB/databaseAccounts/sqlDatabases")
    assert database.content["name"] == database.properties["resource"]["id"]


@holds_until(Break(COSMOS, "name: 'EnableServerless'", "name: 'EnableTable'"))
def test_an_idle_database_costs_its_storage_only(infra: Infra) -> None:
    """Cosmos DB is serverless, so no throughput is reserved."""
    account = infra.only("Microsoft.DocumentDB/databaseAccounts")
    assert account.properties["capabilities"] == [{"name": "EnableServerless"}]


def indexes_in_the_code() -> dict[str, Any]:
    """The indexing policy of each container that the stores use, by name."""
    there = Database("https://voice.documents.azure.com", "a2V5", "voice")
    stores = (
        CosmosConversations(there, ttl_seconds=1, deadline_seconds=1),
        CosmosClips(there, ttl_seconds=1, deadline_seconds=1),
        CosmosRequests(there, ttl_seconds=1, deadline_seconds=1),
        CosmosUsage(there, deadline_seconds=1),
    )
    return {store.container.name: indexing_policy(store.container.indexed) for store in stores}


def blob_containers_in_the_code() -> set[str]:
    """The blob containers that the adapters use."""
    return {default_container(BlobRecordings), default_container(BlobArtefacts, BlobSpeeches)}


@holds_until(
    Break(STORAGE, "[deploymentContainer, clipsContainer, artefactsContainer]", "[deploymentContainer]"),
    Break(STORAGE, "clipsContainer = 'clips'", "clipsContainer = 'recordings'"),
)
def test_storage_has_its_three_containers(infra: Infra) -> None:
    """Package, clips and artefacts each have a container, under the name that the adapters use."""
    loop = infra.only("Microsoft.Storage/storageAccounts/blobServices/containers").body
    assert isinstance(loop, Loop)
    names = infra.template(STORAGE).variables
    assert {names[each.source] for each in loop.over} == {*blob_containers_in_the_code(), "deployment"}


@holds_until(
    Break(STORAGE, "container: artefactsContainer", "container: clipsContainer"),
    Break(STORAGE, "{ container: clipsContainer, days: clipDays }", "{ container: deploymentContainer, days: 1 }"),
    Break(STORAGE, "prefixMatch: ['${expiry.container}/']", "prefixMatch: []"),
    Break(STORAGE, "enabled: true", "enabled: false"),
    Break(STORAGE, "['blockBlob', 'appendBlob']", "['blockBlob']"),
)
def test_recordings_expire(infra: Infra) -> None:
    """Clips and artefacts, block and append blobs alike, are deleted in time; the deployed package never is."""
    loop = infra.only("Microsoft.Storage/storageAccounts/managementPolicies").properties["policy"]["rules"]
    rule = loop.body
    expiring = {infra.template(STORAGE).variables[each["container"].source] for each in loop.over}
    assert expiring == blob_containers_in_the_code()
    assert rule["enabled"] is True
    assert rule["definition"]["filters"]["prefixMatch"] == [Expression("'${expiry.container}/'")]
    assert set(rule["definition"]["filters"]["blobTypes"]) == {"blockBlob", "appendBlob"}
    assert "daysAfterModificationGreaterThan" in rule["definition"]["actions"]["baseBlob"]["delete"]


@holds_until(
    Break(STORAGE, "deleteRetentionPolicy: {\n      enabled: false", "deleteRetentionPolicy: {\n      enabled: true"),
)
def test_deleted_audio_is_gone(infra: Infra) -> None:
    """Deleted blobs and containers cannot be restored."""
    blobs = infra.only("Microsoft.Storage/storageAccounts/blobServices").properties
    assert blobs["deleteRetentionPolicy"] == {"enabled": False}
    assert blobs["containerDeleteRetentionPolicy"] == {"enabled": False}


@holds_until(Break("main.prod.bicepparam", "artefactDays: 30", "artefactDays: 365"))
def test_audio_does_not_outlive_its_conversation(infra: Infra) -> None:
    """In every environment, audio is deleted no later than the conversation that it belongs to."""
    for environment in infra.environments.values():
        days = int(environment["settings"]["CONVERSATION_DAYS"])
        assert environment["retention"]["clipDays"] <= environment["retention"]["artefactDays"] <= days
