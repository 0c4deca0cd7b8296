"""Access to the Speech service: its address, our credential, and the threads in which blocking calls of its SDK run."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

import azure.cognitiveservices.speech as sdk

from voice_core.adapters.azure_speech.malloc_arenas import limit_arenas
from voice_core.domain.errors import Misconfigured

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

THREADS = 64
"""Most blocking calls of the SDK at the same time. They take milliseconds, so this is enough for 50 turns and more."""


class SpeechAccess:
    """The Speech resource at *endpoint*, ``https://NAME.cognitiveservices.azure.com/`` or an emulator's address.

    The credential is *key*, or else what *token* returns. *token* is called for every request; it must cache and renew
    its tokens. A token of Microsoft Entra ID is sent as it is. The SDK's own ``token_credential`` would send the same,
    but would call us from its threads; the form ``aad#RESOURCE#TOKEN`` is for regional endpoints only.

    Raises:
        Misconfigured: there is neither key nor token, or *endpoint* is no URL.
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
        limit_arenas()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="speech")

    async def token(self) -> str | None:
        """A token that is valid now, or None if there is a key.

        Raises:
            StageFailed: without a stage, from the source of tokens.
        """
        return None if self._key or self._token is None else await self._token()

    def config(self, token: str | None) -> "sdk.SpeechConfig":
        """A new configuration, so that the caller's changes affect no other one."""
        config = sdk.SpeechConfig(endpoint=self.endpoint, subscription=self._key or None)
        if token is not None:
            config.authorization_token = token
        return config

    def headers(self, token: str | None) -> dict[str, str]:
        """Headers that authenticate a plain HTTP request."""
        if token is not None:
            return {"Authorization": f"Bearer {token}"}
        return {"Ocp-Apim-Subscription-Key": self._key or ""}

    async def run(
        self, call: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Run a *call* that may block in a thread. Cancelling the wait does not stop the call."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(call, *args, **kwargs))

    def run_detached(self, call: Callable[[], None]) -> None:
        """Run a *call* that may block in a thread, without waiting for it."""
        try:
            self._threads.submit(call)
        except RuntimeError:
            # The threads are shut down. Objects of the SDK that are not freed when Python exits may crash it.
            call()

    async def close(self) -> None:
        """Wait for the calls in progress. Close the users of this access first."""
        await asyncio.to_thread(self._threads.shutdown)


def _port(endpoint: str) -> int:
    url = urlsplit(endpoint)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise Misconfigured("The endpoint of Speech is no URL.")
    return url.port or (443 if url.scheme == "https" else 80)
