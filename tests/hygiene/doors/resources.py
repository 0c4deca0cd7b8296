"""The resources that doors use: decoder processes, the reader of requests, and an assistant with its emulator."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from emulators.openai import openai_app
from emulators.script import Script
from emulators.serving import serving
from voice_core.adapters.azure_openai.assistant import AzureOpenAIAssistant
from voice_core.audio.container_decoder import Room
from voice_core.audio.decoder_process.pool import DecoderPool
from voice_core.audio.decoder_process.user_decoder import UserDecoder
from voice_core.audio.limits import Limits
from voice_core.audio.pcm_layout import RawPcm
from voice_core.audio.upload_decoder import Decoding

SERVICES = ("SPEECH_ENDPOINT", "OPENAI_ENDPOINT", "COSMOS_ENDPOINT")
USER = "ann"
LIMITS = Limits()
"""The product's limits."""


@dataclass
class Resources:
    """Resources that the doors of one process share."""

    pool: DecoderPool
    assistant: AzureOpenAIAssistant
    openai: Script
    """The script of the assistant's emulator."""
    decoder_failures: list[str]
    """The reason for each end of a decoder process that was not its own."""
    limits: Limits = field(default=LIMITS)

    def decoding(self, raw: RawPcm | None, user_id: str, room: Room | None = None) -> Decoding:
        """The decoder of one upload, as the product's `App` makes it."""
        return Decoding(raw, self.limits, UserDecoder(self.pool, user_id, room))


@asynccontextmanager
async def resources() -> AsyncIterator[Resources]:
    """The resources, which are released when the context ends."""
    failures: list[str] = []

    def report(name: str, attributes: Mapping[str, Any]) -> None:
        parts = (attributes.get("reason", name), attributes.get("status"), attributes.get("error"))
        failures.append(" ".join(str(part) for part in parts if part is not None))

    script, pool = Script(), DecoderPool(report)
    async with serving(openai_app(script=script)) as url:
        # The reader of requests takes its timeouts from the settings, which name services that are not called here.
        os.environ.update(dict.fromkeys(SERVICES, url), AUTH_MODE="none")
        assistant = AzureOpenAIAssistant(f"{url}/v1/", key="local", model="offline", system_prompt="Be kind.")
        try:
            yield Resources(pool, assistant, script, failures)
        finally:
            await assistant.close()
            await pool.close()
