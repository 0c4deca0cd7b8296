"""PocketSphinx in a pool of processes, each of which serves one turn at a time."""

import json
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.util import find_spec

from emulators.speech.engines import EngineMissing, LanguageUnknown, Recognition, RecognitionResult, Word, primary
from emulators.speech.processes.pool import ProcessPool
from emulators.speech.processes.process import EngineProcess

COMMAND = ("-m", "emulators.speech.recognizers.sphinx_worker")
BEGIN, SOUND, FINISH = b"B", b"S", b"F"


class SphinxRecognition:
    """The recognition of one turn in one process."""

    def __init__(self, process: EngineProcess) -> None:
        self._process = process

    async def hear(self, pcm: bytes) -> str:
        return str(json.loads(await self._process.call(SOUND, pcm))["text"])

    async def finish(self) -> RecognitionResult:
        response = json.loads(await self._process.call(FINISH))
        return RecognitionResult(tuple(Word(**word) for word in response["words"]), confidence=response["confidence"])


class Sphinx:
    """Recognises American English with the model that comes with PocketSphinx; phrase lists weigh heavily.

    By default it serves as many turns at a time as there are cores; further ones wait for a process while their audio
    is buffered.
    """

    languages: tuple[str, ...] = ("en-US",)

    def __init__(self, processes: int | None = None) -> None:
        self.pool = ProcessPool(COMMAND, processes or os.cpu_count() or 1)

    @asynccontextmanager
    async def listening(self, rate: int, phrases: tuple[str, ...], language: str) -> AsyncGenerator[Recognition]:
        if primary(language) != "en":
            raise LanguageUnknown(f"PocketSphinx has no model of {language}")
        if find_spec("pocketsphinx") is None:
            raise EngineMissing("recognition needs pocketsphinx: pip install pocketsphinx")
        turn = json.dumps({"rate": rate, "phrases": phrases}).encode()
        async with self.pool.conversation(BEGIN, turn) as (process, _):
            yield SphinxRecognition(process)

    async def close(self) -> None:
        await self.pool.close()
