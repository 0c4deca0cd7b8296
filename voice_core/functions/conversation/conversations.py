"""/conversations: list, read and delete conversations."""

import azure.functions as func
from starlette.responses import Response

from voice_core import wiring
from voice_core.domain.conversation import Conversation, Turn
from voice_core.functions.conversation.schemas import (
    ConversationAnswer,
    ConversationPath,
    ConversationsAnswer,
    ListQuery,
    TurnListed,
    TurnsAnswer,
)
from voice_core.functions.http.identity import user_id
from voice_core.functions.http.json_response import json_response
from voice_core.functions.http.request import HttpRequest
from voice_core.functions.http.request_model import parsed
from voice_core.functions.http.serve import served
from voice_core.functions.turn.turn_json import turn_members

blueprint = func.Blueprint()


@blueprint.route("voice/conversations", methods=["GET"])
@served
async def list_conversations(request: HttpRequest) -> Response:
    """List the user's conversations, latest first."""
    query = parsed(ListQuery, dict(request.query))
    app = await wiring.ready()
    page = await app.services.conversations.list(user_id(request), query.limit, query.continuation)
    listed = [_conversation(conversation) for conversation in page.items]
    return json_response(ConversationsAnswer(conversations=listed, continuation=page.continuation).document())


@blueprint.route("voice/conversations/{conversationId}", methods=["GET"])
@served
async def get_conversation(request: HttpRequest) -> Response:
    """List a conversation's turns, latest first."""
    conversation_id, query = _conversation_id(request), parsed(ListQuery, dict(request.query))
    app = await wiring.ready()
    page = await app.services.conversations.turns(user_id(request), conversation_id, query.limit, query.continuation)
    turns = [_turn(turn) for turn in page.items]
    listed = TurnsAnswer(conversation_id=conversation_id, turns=turns, continuation=page.continuation)
    return json_response(listed.document())


@blueprint.route("voice/conversations/{conversationId}", methods=["DELETE"])
@served
async def delete_conversation(request: HttpRequest) -> Response:
    """Delete a conversation; no error if there is none."""
    conversation_id = _conversation_id(request)
    app = await wiring.ready()
    await app.delete_conversation(user_id(request), conversation_id)
    return Response(status_code=204)


def _conversation_id(request: HttpRequest) -> str:
    """The id in the request's path."""
    return parsed(ConversationPath, dict(request.path)).conversation_id


def _conversation(conversation: Conversation) -> ConversationAnswer:
    return ConversationAnswer(
        conversation_id=conversation.id,
        title=conversation.title,
        turn_count=conversation.turn_count,
        created_at=conversation.created_at.isoformat(),
        updated_at=conversation.updated_at.isoformat(),
    )


def _turn(turn: Turn) -> TurnListed:
    return TurnListed(**turn_members(turn), created_at=turn.created_at.isoformat(), spoken=turn.spoken)
