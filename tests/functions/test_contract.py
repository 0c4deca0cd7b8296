"""/openapi.json: the contract, and responses that conform to it."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.conftest import Product
from tests.functions.turns import recording, sse
from voice_core.functions.openapi.document import contract


def validator(name: str) -> Draft202012Validator:
    document = contract()
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


async def test_the_contract_is_served(product: Product) -> None:
    """/openapi.json is OpenAPI 3.1 and has every path."""
    async with product.get("/openapi.json") as response:
        document = await response.json()

    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {
        "/process",
        "/transcribe",
        "/speak",
        "/session",
        "/session/{sessionId}",
        "/clips",
        "/clips/{clipId}",
        "/clips/{clipId}/{part}",
        "/voices",
        "/conversations",
        "/conversations/{conversationId}",
        "/conversations/{conversationId}/turns/{turnId}",
        "/conversations/{conversationId}/turns/{turnId}/speech",
        "/health",
    }


def test_every_reference_resolves() -> None:
    """Every schema that is referenced exists, and every schema is valid."""
    document = contract()
    schemas = document["components"]["schemas"]

    for name in references(document):
        assert name in schemas
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    ("path", "body", "schema"),
    [
        ("/process", {"text": "hi"}, "ProcessAnswer"),
        ("/transcribe", None, "TranscribeAnswer"),
        ("/speak", {"text": "Hi."}, "SpeakAnswer"),
        ("/process", {}, "Problem"),
    ],
)
async def test_responses_conform_to_the_contract(product: Product, path: str, body: Any, schema: str) -> None:
    """Every JSON response conforms to its schema."""
    sent: dict[str, Any] = {"data": recording()} if body is None else {"json": body}
    async with product.post(path, headers={"Accept": "application/json"}, **sent) as response:
        answer = await response.json(content_type=None)

    validator(schema).validate(answer)


@pytest.mark.parametrize(
    ("path", "schema"),
    [("/voices", "VoicesAnswer"), ("/conversations", "ConversationsAnswer"), ("/health?deep=1", "HealthAnswer")],
)
async def test_lists_conform_to_the_contract(product: Product, path: str, schema: str) -> None:
    """Every document that can be read conforms to its schema."""
    async with product.post("/process", json={"text": "hi"}) as response:
        conversation_id = (await response.json())["conversationId"]
    async with product.get(path) as response:
        validator(schema).validate(await response.json())
    async with product.get(f"/conversations/{conversation_id}") as response:
        validator("TurnsAnswer").validate(await response.json())


async def test_events_conform_to_the_contract(product: Product) -> None:
    """Every event conforms to its schema."""
    async with product.post("/process", data=recording(), headers={"Accept": "text/event-stream"}) as response:
        events = await sse(response)

    checking = validator("Event")
    for event in events:
        checking.validate(event)


def references(node: Any) -> set[str]:
    """Names of the schemas that *node* references."""
    if isinstance(node, dict):
        own = {node["$ref"].rpartition("/")[2]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(references(value) for value in node)) if node else set()
    return set()
