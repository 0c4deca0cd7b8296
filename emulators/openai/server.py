"""Chat completions and models, as OpenAI and Azure OpenAI's v1 endpoint serve them.

Use it with ``AsyncOpenAI(base_url=<base URL>/v1/, api_key=<anything>)``, or with ``<base URL>/openai/v1/``, Azure's
form. Without an upstream the reply comes from `assistant`. Steps of the operations ``chat`` and ``models``:

* ``status`` and ``body`` take precedence over the checks of the request; ``body`` alone is sent with status 200.
* ``first_seconds`` passes before the response's head, as with a model that has not begun to write.
* Tokens are words with the space that follows them. ``drop_after`` closes the connection after that many tokens, with
  the response unfinished.
* ``finish_reason`` changes the reply's finish reason, not its text.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Any

from aiohttp import web

from emulators.openai.assistant import compose
from emulators.openai.completion import Completion, tokens_of
from emulators.openai.requests import KEYS, ChatRequest, RefusedError, authorize, error_document, facts_of
from emulators.openai.upstream import UPSTREAM, pass_on, upstream_session
from emulators.script import Script, ServedRequest, Step
from emulators.serving import SCRIPT, scripted

LARGEST_REQUEST_BYTES = 4 << 20
MODEL = "offline"
CLOCK: web.AppKey[Callable[[], datetime]] = web.AppKey("clock")

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


def local_time() -> datetime:
    """The time of this machine, in its own time zone."""
    return datetime.now().astimezone()


def openai_app(
    *,
    upstream: str | None = None,
    script: Script | None = None,
    keys: Collection[str] = (),
    clock: Callable[[], datetime] = local_time,
) -> web.Application:
    """The service as an application; with *upstream*, a base URL ending in ``/v1``, replies come from there.

    It accepts any key or bearer token, or only *keys* when there are some. The assistant's time is that of *clock*.
    """
    app = scripted(web.Application(client_max_size=LARGEST_REQUEST_BYTES), script)
    app[CLOCK] = clock
    app[KEYS] = frozenset(keys)
    if upstream:
        app[UPSTREAM] = upstream
        app.cleanup_ctx.append(upstream_session)
    for prefix in ("/v1", "/openai/v1"):
        app.router.add_post(f"{prefix}/chat/completions", _chat)
        app.router.add_get(f"{prefix}/models", _models)
    return app


async def _models(request: web.Request) -> web.StreamResponse:
    async def list_models(step: Step, served: ServedRequest) -> web.StreamResponse:
        if UPSTREAM in request.app:
            return await pass_on(request, "models", b"")
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "emulator"}
        return web.json_response({"object": "list", "data": [model]})

    return await _serve(request, "models", list_models)


async def _chat(request: web.Request) -> web.StreamResponse:
    body = await request.read()
    document = _parsed(body)

    async def reply(step: Step, served: ServedRequest) -> web.StreamResponse:
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
    handle: Callable[[Step, ServedRequest], Awaitable[web.StreamResponse]],
    facts: dict[str, Any] | None = None,
) -> web.StreamResponse:
    """Respond as the script says; otherwise check the key and call *handle*."""
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
            return await handle(step, served)
        except RefusedError as refusal:
            served.outcome = f"status-{refusal.status}"
            return web.json_response(refusal.document, status=refusal.status)


def _connection(request: web.Request) -> int | None:
    """The caller's port, which identifies its connection."""
    peer = request.get_extra_info("peername")
    return peer[1] if peer else None


def _scripted(step: Step, served: ServedRequest) -> web.Response:
    status = step.status or 200
    served.outcome = f"status-{status}"
    kind = "text/event-stream" if status == 200 and served.facts.get("stream") else "application/json"
    text = step.body
    if text is None:
        text = json.dumps(error_document("Scripted.", "server_error"))
    return web.Response(status=status, headers=step.headers, text=text, content_type=kind)


async def _reply(request: web.Request, chat: ChatRequest, step: Step, served: ServedRequest) -> web.StreamResponse:
    tokens = tokens_of(compose(chat.messages, request.app[CLOCK]()) if step.text is None else step.text)
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
    request: web.Request, completion: Completion, chat: ChatRequest, step: Step, served: ServedRequest
) -> web.StreamResponse:
    began = asyncio.get_running_loop().time()
    await due(step, 0, began)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)
    for event in completion.first(azure=request.path.startswith("/openai/")):
        await response.write(event)
    for index, token in enumerate(completion.tokens):
        if index == step.drop_after:
            await _drop(request, served)
        await due(step, index, began)
        await response.write(completion.token(token))
        served.facts["tokens"] = index + 1
    for event in completion.last(include_usage=chat.include_usage):
        await response.write(event)
    return response


async def due(step: Step, index: int, began: float) -> None:
    """Wait until token *index* is due, counted from *began* so that delays do not add up."""
    loop = asyncio.get_running_loop()
    pace = index / step.tokens_per_second if step.tokens_per_second else 0.0
    wait = began + (step.first_seconds or 0.0) + pace - loop.time()
    if wait > 0:
        await asyncio.sleep(wait)


async def _drop(request: web.Request, served: ServedRequest) -> None:
    """Close the connection after what was written is delivered, with the response unfinished."""
    served.outcome = "dropped"
    if request.transport is not None:
        request.transport.close()
    await asyncio.Event().wait()
