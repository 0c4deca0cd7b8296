"""The assistant on Azure OpenAI, or on anything else that speaks OpenAI's chat completions."""

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
"""How long an idle connection is kept: longer than people pause between presses, and well below the four minutes after
which Azure's load balancers forget one without a word."""

SDK_WAITS = 4
"""How many times longer the SDK waits than we do."""

CHAT: telemetry.Facts = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "azure.ai.openai"}
"""What is told of our calls (https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/)."""


class AzureOpenAIAssistant:
    """Replies by chat completions, streamed.

    *base_url* is ``https://NAME.openai.azure.com/openai/v1/`` or another server's. It is shown *key*, or else what
    *token* returns, which is asked before each request. *model* is the name of the deployment there.

    What the model is told of the past are the latest whole turns that fit *history_turns* and *history_tokens*.
    *max_reply_tokens* is sent as ``max_completion_tokens``: newer models refuse ``max_tokens``, and reasoning models
    count what they think against it. *reasoning_effort* is sent unless it is empty: other models refuse it.

    Making one takes 0.1 s, most of it for the trusted certificates; it opens no connection.

    Raises:
        Misconfigured: neither key nor token, or no URL.
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
        self._connect_seconds = connect_seconds
        self._first_token_seconds = first_token_seconds
        self._next_token_seconds = next_token_seconds
        if not (key or token):
            raise Misconfigured("The assistant has neither a key nor an identity.", stage=STAGE)
        if not base_url.startswith(("https://", "http://")):
            raise Misconfigured("The assistant's endpoint is no URL.", stage=STAGE)
        with our_errors():
            self._client = openai.AsyncOpenAI(
                base_url=base_url,
                api_key=key or token,
                # A retry of the SDK may sleep for minutes when told to; a voice turn tells its caller instead.
                max_retries=0,
                # Ours come first: the SDK's go by the wall clock, and would take a stall of our loop for silence.
                timeout=openai.Timeout(
                    SDK_WAITS * max(first_token_seconds, next_token_seconds), connect=connect_seconds
                ),
                http_client=_http_client(),
            )
        self._completions = self._client.chat.completions

    async def warm(self) -> None:
        """Open a connection that the next `reply` will use."""
        await self.check()

    async def check(self) -> None:
        """Ask for the list of models: that needs network and credential, and costs no tokens.

        Raises:
            StageFailed: with stage ``assistant``.
        """
        with our_errors():
            async with timeouts.timeout(self._first_token_seconds):
                await self._client.models.with_raw_response.list()

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def reply(self, said: str, history: Sequence[Turn]) -> AsyncGenerator[str]:
        """Reply to *said* after *history*, oldest turn first, in pieces of text as they are written.

        Raises:
            ReplyRefused: the content filter stopped the prompt or the reply.
            Throttled: with the seconds to wait, when the service names them.
            StageFailed: with stage ``assistant``; ``reply-empty`` when not a word came.
        """
        seconds = self._first_token_seconds
        with telemetry.call("chat", {**CHAT, "gen_ai.request.model": self._model}) as told:
            async with aclosing(self._pieces(self._messages(said, history), told)) as pieces:
                while piece := await _next(pieces, seconds):
                    yield piece
                    seconds = self._next_token_seconds

    async def _pieces(self, messages: list[ChatCompletionMessageParam], told: telemetry.Facts) -> AsyncGenerator[str]:
        empty, finish_reason = True, None
        async with await self._open(messages) as stream:
            while chunk := await anext(stream, None):
                piece = read(chunk)
                told |= piece.facts
                if piece.refused:
                    # The verdict may come after text and after the end of the reply, and is final.
                    raise ReplyRefused("The content filter stopped the reply.", stage=STAGE)
                finish_reason = piece.finish_reason or finish_reason
                if piece.text:
                    empty = False
                    yield piece.text
        if finish_reason is None:
            raise StageFailed("The reply broke off.", stage=STAGE)
        if empty:
            why = " It thought for longer than MAX_REPLY_TOKENS allows." if finish_reason == "length" else ""
            raise StageFailed(f"The assistant replied without a word.{why}", code="reply-empty", stage=STAGE)

    async def _open(self, messages: list[ChatCompletionMessageParam]) -> openai.AsyncStream[ChatCompletionChunk]:
        try:
            return await self._request(messages)
        except openai.APITimeoutError:
            raise
        except openai.APIConnectionError:
            # The other side may have closed a kept connection at the moment we used it.
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

    def _messages(self, said: str, history: Sequence[Turn]) -> list[ChatCompletionMessageParam]:
        turns = fitting(deque(history, self._history_turns), self._history_tokens)
        cut_off = any(turn.interrupted for turn in turns)
        system = f"{self._system_prompt}\n{CUT_OFF_NOTE}" if cut_off else self._system_prompt
        past = [message for turn in turns for message in exchange(turn)]
        return [{"role": "system", "content": system}, *past, {"role": "user", "content": said}]


def _http_client() -> httpx2.AsyncClient:
    return openai.DefaultAsyncHttpx2Client(
        limits=httpx2.Limits(keepalive_expiry=KEEP_ALIVE_SECONDS),
        # A redirect would take what somebody said to where no operator sent it.
        follow_redirects=False,
        headers=UNENCODED,
        event_hooks={"response": [bounded]},
    )


async def _next(pieces: AsyncGenerator[str], seconds: float) -> str | None:
    """The next piece, or None after the last."""
    with our_errors():
        async with timeouts.timeout(seconds):
            return await anext(pieces, None)
