"""The Speech emulator's engines in a local run: the light ones serve until the neural ones have been installed."""

from collections.abc import Callable

from emulators.speech.chosen_engines import ChosenEngines
from local_host.installation import Installation


class SpeechEngines:
    """*engines*, and the *installation* of the neural ones, if these may serve and it is needed."""

    def __init__(self, engines: ChosenEngines, installation: Installation | None) -> None:
        self.engines = engines
        self._installation = installation if installation and engines.neural and installation.needed() else None
        if self._installation:
            # Packages that are only half there would be imported otherwise.
            engines.hold("being installed")

    async def start(self, say: Callable[[str], object]) -> None:
        """Load the engines, after the installation; *say* gets its progress, and which engines serve."""
        if self._installation:
            say(self.engines.description)
            await self._installation.run(say)
        await self.engines.start(say)
