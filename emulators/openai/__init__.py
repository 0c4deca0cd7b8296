"""OpenAI's chat completions on this machine, for the unmodified openai SDK."""

from emulators.openai.server import openai_app

__all__ = ["openai_app"]
