"""The assistant on Azure OpenAI, or on any other server with OpenAI's chat completions."""

from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

import httpx2
import openai
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

from voice_core import telemetry, timeouts
from voice_core.adapters.azure_openai.chunks import read
from voice_core.adapters.azure_openai.failures import STAGE, our_errors
from voice_core.adapters.azure_openai.history import CUT_OFF_NOTE, exchange, fitting
from voice_core.adapters.azure_openai.response_limit import UNENCODED, bounded
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import Misconfigured, ReplyRefused, StageFailed

KEEP_ALIVE_SECONDS = 120.0
"""How long an idle connection stays open: longer than people pause between turns, and well below the four minutes after
which Azure's load balancers silently drop one."""

SDK_WAITS = 4
"""Factor between the SDK's timeout and ours."""

CHAT: telemetry.Facts = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "azure.ai.openai"}
"""Attributes of our calls (https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/)."""


class AzureOpenAIAssistant:
    """Replies by chat completions, streamed.

    *base_url* is ``https://NAME.openai.azure.com/openai/v1/`` or another server's. The credential is *key*, or else
    what *token* returns, which is called before each request. *model* is the name of the deployment there.

    The model receives the latest complete turns that fit into *history_turns* and *history_tokens*.
    *max_reply_tokens* is sent as ``max_completion_tokens``: newer models refuse ``max_tokens``, and reasoning models
    count their reasoning against it. *reasoning_effort* is sent unless it is empty: models without reasoning refuse it.

    The constructor takes 0.1 s, most of it for loading the trusted certificates; it opens no connection.

    Raises:
        Misconfigured: there is neither key nor token, or *base_url* is no URL.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key: str | None = None,
        token: Callable[[], Awaitable[str]] | None = None,
        model: str,
        system_prompt: str,
        history_turns: int = 20,
        history_tokens: int = 3000,
        max_reply_tokens: int = 300,
        reasoning_effort: str = "",
        connect_seconds: float = 5.0,
        first_token_seconds: float = 15.0,
        next_token_seconds: float = 15.0,
    ) -> None:
        self._model = model
        self._system_prompt = system_prompt
        self._history_turns = history_turns
        self._history_tokens = history_tokens
        self._max_reply_tokens = max_reply_tokens
        self._reasoning_effort = reasoning_effort
        self._first_token_seconds = first_token_seconds
        self._next_token_seconds = next_token_seconds
        if not (key or token):
            raise Misconfigured("The assistant has neither a key nor an identity.", stage=STAGE)
        if not base_url.startswith(("https://", "http://")):
            raise Misconfigured("The assistant's endpoint is no URL.", stage=STAGE)
        # Our timeouts come first: the SDK's use the wall clock, and would count a stall of our event loop.
        seconds = SDK_WAITS * max(first_token_seconds, next_token_seconds)
        with our_errors():
            self._client = openai.AsyncOpenAI(
                base_url=base_url,
                api_key=key or token,
                # The SDK's retries sleep for as long as Retry-After says, up to minutes. A turn fails instead.
                max_retries=0,
                timeout=openai.Timeout(seconds, connect=connect_seconds),
                http_client=_http_client(),
            )
        self._completions = self._client.chat.completions

    async def warm(self) -> None:
        """Open a connection that the next `reply` will use."""
        await self.check()

    async def check(self) -> None:
        """Request the list of models: that needs network and credential, and costs no tokens.

        Raises:
            StageFailed: with stage ``assistant``.
        """
        with our_errors():
            async with timeouts.timeout(self._first_token_seconds):
                await self._client.models.with_raw_response.list()

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def reply(self, text: str, history: Sequence[Turn]) -> AsyncGenerator[str]:
        """Reply to *text* after *history*, oldest turn first, in pieces of text as they arrive.

        Raises:
            ReplyRefused: the content filter stopped the prompt or the reply.
            Throttled: with the seconds to wait, if the service names them.
            StageFailed: with stage ``assistant``; ``reply-empty`` if the reply has no words.
        """
        seconds = self._first_token_seconds
        with telemetry.call("chat", {**CHAT, "gen_ai.request.model": self._model}) as facts:
            async with aclosing(self._pieces(self._messages(text, history), facts)) as pieces:
                while piece := await _next(pieces, seconds):
                    yield piece
                    seconds = self._next_token_seconds

    async def _pieces(self, messages: list[ChatCompletionMessageParam], facts: telemetry.Facts) -> AsyncGenerator[str]:
        empty, finish_reason = True, None
        async with await self._open(messages) as stream:
            while chunk := await anext(stream, None):
                piece = read(chunk)
                facts |= piece.facts
                if piece.refused:
                    # The filter's verdict may come after text and even after the finish reason, and is final.
                    raise ReplyRefused("The content filter stopped the reply.", stage=STAGE)
                finish_reason = piece.finish_reason or finish_reason
                if piece.text:
                    empty = False
                    yield piece.text
        if finish_reason is None:
            raise StageFailed("The reply broke off.", stage=STAGE)
        if empty:
            why = " Its reasoning used up MAX_REPLY_TOKENS." if finish_reason == "length" else ""
            raise StageFailed(f"The assistant's reply was empty.{why}", code="reply-empty", stage=STAGE)

    async def _open(self, messages: list[ChatCompletionMessageParam]) -> openai.AsyncStream[ChatCompletionChunk]:
        try:
            return await self._request(messages)
        except openai.APITimeoutError:
            raise
        except openai.APIConnectionError:
            # The server may have closed an idle connection just as we used it.
            return await self._request(messages)

    async def _request(self, messages: list[ChatCompletionMessageParam]) -> openai.AsyncStream[ChatCompletionChunk]:
        return await self._completions.create(
            model=self._model,
            messages=messages,
            stream=True,
            stream_options={"include_usage": True},
            extra_headers=telemetry.outgoing(),
            max_completion_tokens=self._max_reply_tokens,
            extra_body={"reasoning_effort": self._reasoning_effort} if self._reasoning_effort else None,
        )

    def _messages(self, text: str, history: Sequence[Turn]) -> list[ChatCompletionMessageParam]:
        turns = fitting(deque(history, self._history_turns), self._history_tokens)
        cut_off = any(turn.interrupted for turn in turns)
        system = f"{self._system_prompt}\n{CUT_OFF_NOTE}" if cut_off else self._system_prompt
        past = [message for turn in turns for message in exchange(turn)]
        return [{"role": "system", "content": system}, *past, {"role": "user", "content": text}]


def _http_client() -> httpx2.AsyncClient:
    return openai.DefaultAsyncHttpx2Client(
        limits=httpx2.Limits(keepalive_expiry=KEEP_ALIVE_SECONDS),
        # A redirect would send users' words to a host that no operator has configured.
        follow_redirects=False,
        headers=UNENCODED,
        event_hooks={"response": [bounded]},
    )


async def _next(pieces: AsyncGenerator[str], seconds: float) -> str | None:
    """The next piece, or None after the last."""
    with our_errors():
        async with timeouts.timeout(seconds):
            return await anext(pieces, None)
