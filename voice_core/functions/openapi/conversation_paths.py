"""Paths of conversations in the contract."""

from voice_core.functions.conversation import schemas
from voice_core.functions.openapi.operations import Json, json_of, operation, parameters


def conversation_paths() -> Json:
    conversation = parameters(schemas.ConversationPath, "path")
    page = parameters(schemas.ListQuery, "query")
    return {
        "/conversations": {
            "get": operation(
                "List conversations",
                None,
                json_of(schemas.ConversationsAnswer),
                (400, 502, 503, 504),
                page,
            )
        },
        "/conversations/{conversationId}": {
            "get": operation(
                "Read a conversation",
                None,
                json_of(schemas.TurnsAnswer),
                (400, 404, 502, 503, 504),
                [*conversation, *page],
            ),
            "delete": operation("Delete a conversation", None, None, (400, 502, 503, 504), conversation),
        },
    }
