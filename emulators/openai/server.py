"""Chat completions and models, as OpenAI and Azure OpenAI's v1 endpoint serve them.

``AsyncOpenAI(base_url=<base URL>/v1/, api_key=<anything>)`` talks to it, and so does ``<base URL>/openai/v1/``, Azure's
form. Without an upstream the reply is the stand-in's. How a step of the operations ``chat`` and ``models`` is served:

* ``status`` and ``body`` win over the checks of the request; ``body`` alone is garbage with status 200.
* ``first_seconds`` passes before the response's head, as it does while a model has not begun to write.
* Tokens are words with the space that follows them. ``drop_after`` closes the connection after that many, unfinished.
* ``finish_reason`` changes how the reply says that it ended, not its text.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from aiohttp import web

from emulators.openai.completion import Completion, tokens_of
from emulators.openai.requests import KEYS, ChatRequest, RefusedError, authorize, error_document, facts_of
from emulators.openai.stand_in import compose
from emulators.openai.upstream import UPSTREAM, pass_on, upstream_session
from emulators.script import Script, Served, Step
from emulators.serving import SCRIPT, scripted

LARGEST_REQUEST_BYTES = 4 << 20
MODEL = "offline"

CONTENT_FILTERED = json.dumps(
    {
        "error": {
            "message": "The response was filtered due to the prompt triggering the content management policy.",
            "type": None,
            "param": "prompt",
            "code": "content_filter",
            "status": 400,
            "innererror": {
                "code": "ResponsibleAIPolicyViolation",
                "content_filter_result": {"violence": {"filtered": True, "severity": "high"}},
            },
        }
    }
)
"""The body of a step with status 400: how Azure refuses a prompt."""


def openai_app(
    *, upstream: str | None = None, script: Script | None = None, keys: Collection[str] = ()
) -> web.Application:
    """The service as an application; with *upstream*, a base URL ending in ``/v1``, that one replies.

    It accepts any key or bearer token, or only *keys* when there are some.
    """
    app = scripted(web.Application(client_max_size=LARGEST_REQUEST_BYTES), script)
    app[KEYS] = frozenset(keys)
    if upstream:
        app[UPSTREAM] = upstream
        app.cleanup_ctx.append(upstream_session)
    for prefix in ("/v1", "/openai/v1"):
        app.router.add_post(f"{prefix}/chat/completions", _chat)
        app.router.add_get(f"{prefix}/models", _models)
    return app


async def _models(request: web.Request) -> web.StreamResponse:
    async def list_models(step: Step, served: Served) -> web.StreamResponse:
        if UPSTREAM in request.app:
            return await pass_on(request, "models", b"")
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "emulator"}
        return web.json_response({"object": "list", "data": [model]})

    return await _serve(request, "models", list_models)


async def _chat(request: web.Request) -> web.StreamResponse:
    body = await request.read()
    document = _parsed(body)

    async def reply(step: Step, served: Served) -> web.StreamResponse:
        chat = ChatRequest.from_json(document)
        if UPSTREAM in request.app:
            return await pass_on(request, "chat/completions", body)
        return await _reply(request, chat, step, served)

    return await _serve(request, "chat", reply, facts_of(document))


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


async def _serve(
    request: web.Request,
    operation: str,
    answer: Callable[[Step, Served], Awaitable[web.StreamResponse]],
    facts: dict[str, Any] | None = None,
) -> web.StreamResponse:
    """Answer as the script says, or refuse, or *answer*."""
    script = request.app[SCRIPT]
    with script.serving(operation) as served:
        served.facts.update(facts or {}, connection=_connection(request))
        served.trace = request.headers.get("traceparent", "")
        step = script.next(operation)
        await asyncio.sleep(step.connect_seconds)
        if step.hang:
            served.outcome = "hung"
            await asyncio.Event().wait()
        if step.status is not None or step.body is not None:
            return _scripted(step, served)
        try:
            authorize(request)
            return await answer(step, served)
        except RefusedError as refusal:
            served.outcome = f"status-{refusal.status}"
            return web.json_response(refusal.document, status=refusal.status)


def _connection(request: web.Request) -> int | None:
    """What tells the caller's connections apart: its port."""
    peer = request.get_extra_info("peername")
    return peer[1] if peer else None


def _scripted(step: Step, served: Served) -> web.Response:
    status = step.status or 200
    served.outcome = f"status-{status}"
    kind = "text/event-stream" if status == 200 and served.facts.get("stream") else "application/json"
    text = step.body
    if text is None:
        text = json.dumps(error_document("So the script says.", "server_error"))
    return web.Response(status=status, headers=step.headers, text=text, content_type=kind)


async def _reply(request: web.Request, chat: ChatRequest, step: Step, served: Served) -> web.StreamResponse:
    tokens = tokens_of(compose(chat.messages) if step.text is None else step.text)
    cut = chat.max_tokens is not None and len(tokens) > chat.max_tokens
    completion = Completion(
        model=chat.model,
        tokens=tuple(tokens[: chat.max_tokens]),
        finish_reason=step.finish_reason or ("length" if cut else "stop"),
        prompt_tokens=chat.prompt_tokens,
    )
    if chat.stream:
        return await _stream(request, completion, chat, step, served)
    await due(step, len(completion.tokens), asyncio.get_running_loop().time())
    served.facts["tokens"] = len(completion.tokens)
    if step.drop_after is not None:
        await _drop(request, served)
    return web.json_response(completion.whole())


async def _stream(
    request: web.Request, completion: Completion, chat: ChatRequest, step: Step, served: Served
) -> web.StreamResponse:
    asked = asyncio.get_running_loop().time()
    await due(step, 0, asked)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)
    for event in completion.first(azure=request.path.startswith("/openai/")):
        await response.write(event)
    for index, token in enumerate(completion.tokens):
        if index == step.drop_after:
            await _drop(request, served)
        await due(step, index, asked)
        await response.write(completion.token(token))
        served.facts["tokens"] = index + 1
    for event in completion.last(include_usage=chat.include_usage):
        await response.write(event)
    return response


async def due(step: Step, index: int, asked: float) -> None:
    """Wait for the moment of token *index*, counted from *asked* so that lateness does not add up."""
    loop = asyncio.get_running_loop()
    pace = index / step.tokens_per_second if step.tokens_per_second else 0.0
    wait = asked + (step.first_seconds or 0.0) + pace - loop.time()
    if wait > 0:
        await asyncio.sleep(wait)


async def _drop(request: web.Request, served: Served) -> None:
    """Close the connection with what was written on it delivered, and the response unfinished."""
    served.outcome = "dropped"
    if request.transport is not None:
        request.transport.close()
    await asyncio.Event().wait()
