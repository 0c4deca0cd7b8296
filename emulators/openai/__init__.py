"""An emulator of OpenAI's chat completions, for the unmodified openai SDK."""

from emulators.openai.server import openai_app

__all__ = ["openai_app"]
