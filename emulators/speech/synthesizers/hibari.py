"""The voice *heart* of hibari in a pool of processes: each makes the speech of one sentence at a time."""

import json
from collections.abc import AsyncGenerator

from emulators.speech.engines import LanguageUnknown
from emulators.speech.processes.pool import ProcessPool
from emulators.speech.voices import Voice

COMMAND = ("-m", "emulators.speech.synthesizers.hibari_worker")
PHONEMES, SPEAK = b"P", b"S"
PROCESSES = 2
"""One user's sentence does not wait for another's; the second process starts when the first is busy."""
RESPONSE_SECONDS = 15.0
"""Longest time to a sentence's speech, which takes a tenth of a second; a process that takes longer counts as dead."""


class Hibari:
    """Speaks English with one female voice, sentence by sentence."""

    def __init__(self, pool: ProcessPool | None = None) -> None:
        self.pool = pool or ProcessPool(COMMAND, PROCESSES, RESPONSE_SECONDS)

    async def speak(self, text: str, voice: Voice) -> AsyncGenerator[bytes]:
        if not self.speaks(voice):
            raise LanguageUnknown(f"hibari does not speak {voice.locale}")
        for sentence in json.loads(await self.pool.call(PHONEMES, text.encode())):
            yield await self.pool.call(SPEAK, sentence.encode())

    def engine_of(self, voice: Voice) -> str:
        return "hibari heart"

    def speaks(self, voice: Voice) -> bool:
        return voice.locale.startswith("en-") and voice.gender == "Female"

    async def close(self) -> None:
        await self.pool.close()
