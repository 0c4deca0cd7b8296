"""Builds the product: connects ports to adapters, and use cases to ports.

Only this package names adapters. Each is imported when it is first needed, so that the function app starts without
loading any SDK.
"""

import os
from functools import cache
from typing import TYPE_CHECKING

from voice_core.settings import Settings
from voice_core.wiring.app import App

if TYPE_CHECKING:
    from voice_core.wiring.clips import ClipWork

__all__ = ["App", "app", "ready", "ready_for_clips"]


@cache
def app() -> App:
    """The one App of this worker process."""
    return App(Settings.from_environ(os.environ))


async def ready() -> App:
    """The one App, with all that a turn needs imported."""
    the_app = app()
    await the_app.load()
    return the_app


async def ready_for_clips() -> "ClipWork":
    """The ClipWork of this worker process, with all that a clip needs imported."""
    the_app = app()
    await the_app.load_clips()
    return the_app.clip_work
