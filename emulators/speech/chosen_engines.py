"""Engines that are chosen by availability: a neural one serves where it can, a light one otherwise."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from emulators.speech.engines import EngineMissing, Engines, Recognition, Recognizer, Synthesizer, primary
from emulators.speech.processes.availability import Availability
from emulators.speech.processes.process import EngineDied
from emulators.speech.recognizers.sphinx import Sphinx
from emulators.speech.voices import VOICES, Voice


class NeuralSynthesizer(Synthesizer, Protocol):
    def speaks(self, voice: Voice) -> bool:
        """Whether it has a voice like *voice*."""


class ChosenRecognizer:
    """*neural* for its languages while it is available, *light* otherwise."""

    def __init__(
        self, light: Recognizer, name: str, neural: Recognizer | None = None, availability: Availability | None = None
    ) -> None:
        self._light = light
        self._name = name
        self._neural = neural
        self.availability = availability

    @property
    def languages(self) -> tuple[str, ...]:
        return self._neural.languages if self._neural and self._serving else self._light.languages

    @property
    def description(self) -> str:
        if self.availability and self.availability.refusing:
            return "no engine recognises English"
        if self.availability and self._serving:
            return f"{self.availability.pool.name} recognises"
        return f"{self._name} recognises"

    @asynccontextmanager
    async def listening(self, rate: int, phrases: tuple[str, ...], language: str) -> AsyncGenerator[Recognition]:
        recognizer = await self._recognizer(language)
        async with recognizer.listening(rate, phrases, language) as recognition:
            yield recognition

    async def start(self) -> None:
        """Load the engine that serves, and the one for its interims."""
        if self.availability:
            await self.availability.look()
            if self._serving and isinstance(self._light, Sphinx):
                with suppress(EngineMissing):
                    await self._light.pool.start()

    async def close(self) -> None:
        if self.availability:
            await self.availability.close()
        await self._light.close()

    @property
    def _serving(self) -> bool:
        return self.availability is not None and self.availability.serving

    async def _recognizer(self, language: str) -> Recognizer:
        neural = self._neural
        if neural is None or self.availability is None:
            return self._light
        if neural.languages and primary(language) not in map(primary, neural.languages):
            return self._light
        return neural if await self.availability.serves() else self._light


class ChosenSynthesizer:
    """*neural* for voices like its own while it is available, *light* otherwise, and where *neural* dies of a text."""

    def __init__(
        self, light: Synthesizer, neural: NeuralSynthesizer | None = None, availability: Availability | None = None
    ) -> None:
        self._light = light
        self._neural = neural
        self.availability = availability

    @property
    def description(self) -> str:
        if self.availability and self.availability.refusing:
            return "no engine speaks English"
        first, *others = dict.fromkeys(map(self.engine_of, VOICES))
        return f"{first} speaks" + (f" (other voices: {', '.join(others)})" if others else "")

    async def speak(self, text: str, voice: Voice) -> AsyncGenerator[bytes]:
        synthesizer = await self._synthesizer(voice)
        begun = False
        try:
            async for pcm in synthesizer.speak(text, voice):
                begun = True
                yield pcm
        except (EngineDied, EngineMissing):
            if begun or synthesizer is self._light or (self.availability and self.availability.required):
                raise
            async for pcm in self._light.speak(text, voice):
                yield pcm

    def engine_of(self, voice: Voice) -> str:
        serving = self._neural and self._neural.speaks(voice) and self.availability and self.availability.serving
        return self._neural.engine_of(voice) if self._neural and serving else self._light.engine_of(voice)

    async def start(self) -> None:
        """Load the engine that serves."""
        if self.availability:
            await self.availability.look()

    async def close(self) -> None:
        if self.availability:
            await self.availability.close()
        await self._light.close()

    async def _synthesizer(self, voice: Voice) -> Synthesizer:
        if self._neural is None or self.availability is None or not self._neural.speaks(voice):
            return self._light
        return self._neural if await self.availability.serves() else self._light


class ChosenEngines(Engines):
    """A recogniser and a synthesizer, each chosen by availability."""

    def __init__(self, recognizer: ChosenRecognizer, synthesizer: ChosenSynthesizer) -> None:
        super().__init__(recognizer, synthesizer)
        self._recognizer = recognizer
        self._synthesizer = synthesizer
        self._last = ""

    @property
    def neural(self) -> tuple[Availability, ...]:
        """The neural engines that may serve."""
        both = (self._recognizer.availability, self._synthesizer.availability)
        return tuple(availability for availability in both if availability)

    @property
    def description(self) -> str:
        """One line: which engine recognises, which one speaks, and why neural ones do not."""
        unused = [f"{availability.name} ({availability.reason})" for availability in self.neural if availability.reason]
        line = f"Engines: {self._recognizer.description}, {self._synthesizer.description}."
        return f"{line} Not in use: {', '.join(unused)}." if unused else line

    def hold(self, reason: str) -> None:
        """Use no neural engine before `start`."""
        for availability in self.neural:
            availability.hold(reason)

    async def start(self, say: Callable[[str], object]) -> None:
        """Load the engines that serve; *say* gets the description now, and whenever it changes later."""
        await asyncio.gather(self._recognizer.start(), self._synthesizer.start())

        def report() -> None:
            if self.description != self._last:
                self._last = self.description
                say(self._last)

        for availability in self.neural:
            availability.pool.changed = report
        report()
