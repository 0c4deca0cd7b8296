"""How the Speech service is reached: its address, what proves who we are, and threads to wait for its SDK in."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

import azure.cognitiveservices.speech as sdk

from voice_core.adapters.azure_speech.malloc_arenas import share_heaps
from voice_core.domain.errors import Misconfigured

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

THREADS = 64
"""Calls of the SDK that may block at the same time. They take milliseconds, so this is enough for 50 turns and more."""


class SpeechAccess:
    """The Speech resource at *endpoint*, ``https://NAME.cognitiveservices.azure.com/`` or an emulator's address.

    It is shown *key*, or else what *token* returns, which is asked whenever something is to be sent: whoever makes
    tokens keeps and renews them. A token of Microsoft Entra ID is sent as it is. That is what the SDK's own
    ``token_credential`` puts on the wire too, but that one would call us from its threads; the form
    ``aad#RESOURCE#TOKEN`` is for regional endpoints only.

    Raises:
        Misconfigured: neither key nor token, or no URL.
    """

    def __init__(
        self, endpoint: str, *, key: str | None = None, token: Callable[[], Awaitable[str]] | None = None
    ) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.port = _port(endpoint)
        self._key = key
        self._token = token
        if not (key or token):
            raise Misconfigured("Speech has neither a key nor an identity.")
        share_heaps()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="speech")

    async def token(self) -> str | None:
        """A token that is good now, or None when there is a key.

        Raises:
            StageFailed: without a stage, from whoever makes tokens.
        """
        return None if self._key or self._token is None else await self._token()

    def config(self, token: str | None) -> "sdk.SpeechConfig":
        """A configuration of its own, so that nobody else's changes show in it."""
        config = sdk.SpeechConfig(endpoint=self.endpoint, subscription=self._key or None)
        if token is not None:
            config.authorization_token = token
        return config

    def headers(self, token: str | None) -> dict[str, str]:
        """What a plain HTTP request shows the service."""
        if token is not None:
            return {"Authorization": f"Bearer {token}"}
        return {"Ocp-Apim-Subscription-Key": self._key or ""}

    async def run(
        self, call: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Make a *call* that may block, in a thread. Cancelling the wait does not stop the call."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(call, *args, **kwargs))

    def leave(self, call: Callable[[], None]) -> None:
        """Make a *call* that may block, in a thread, and wait for nothing."""
        try:
            self._threads.submit(call)
        except RuntimeError:
            # Closed already. What lives in the SDK when Python ends may take the process with it.
            call()

    async def close(self) -> None:
        """Wait for the calls under way. To be called last, after those who use this access are closed."""
        await asyncio.to_thread(self._threads.shutdown)


def _port(endpoint: str) -> int:
    url = urlsplit(endpoint)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise Misconfigured("The endpoint of Speech is no URL.")
    return url.port or (443 if url.scheme == "https" else 80)
