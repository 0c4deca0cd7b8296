"""The Speech emulator's engines in a local run: the light ones serve until the neural ones have been installed."""

import sys
from collections.abc import Callable
from pathlib import Path

from emulators.speech.chosen_engines import ChosenEngines
from local_host.installation import Installation

DONE = "neural.done"
"""File in this Python's environment that records the installation; the Makefile knows it too."""


class SpeechEngines:
    """*engines*, and the installation of *requirements* for the neural ones, if these may serve and it is needed."""

    def __init__(self, engines: ChosenEngines, requirements: Path | None) -> None:
        self.engines = engines
        installation = Installation(requirements, Path(sys.prefix, DONE)) if requirements and engines.neural else None
        self._installation = installation if installation and installation.needed else None
        if self._installation:
            # Packages that are only half there would be imported otherwise.
            engines.hold("being installed")

    async def start(self, say: Callable[[str], object]) -> None:
        """Load the engines, after the installation; *say* gets its progress, and which engines serve."""
        if self._installation:
            say(self.engines.description)
            await self._installation.run(say)
        await self.engines.start(say)
