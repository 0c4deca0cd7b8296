"""Every setting the product reads, once, from the environment.

Names and defaults are listed in docs/settings.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any


class SettingsError(Exception):
    """A setting is missing or not what it should be; the message says which and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One field a variable: ``speech_endpoint`` is read from ``SPEECH_ENDPOINT``."""

    speech_endpoint: str
    """``https://NAME.cognitiveservices.azure.com/`` or the emulator's address."""
    speech_key: str = ""
    """Empty: the app's identity is used."""
    speech_language: str = "en-US"
    speech_voice: str = "en-US-AvaMultilingualNeural"

    openai_endpoint: str
    """``https://NAME.openai.azure.com/openai/v1/`` or any OpenAI-compatible base URL."""
    openai_key: str = ""
    """Empty: the app's identity is used."""
    openai_model: str = "gpt-4o-mini"
    """The deployment's or the model's name."""
    system_prompt: str = (
        "You are a helpful voice assistant. Your words are spoken aloud: answer in one to three short sentences of"
        " plain text, without lists, markdown, code, links or emoji, in the language you are spoken to."
    )
    history_turns: int = 20
    history_tokens: int = 3000
    max_reply_tokens: int = 300

    cosmos_endpoint: str
    cosmos_key: str = ""
    """Empty: the app's identity is used."""
    cosmos_database: str = "voice"
    cosmos_create: bool = False
    """Create database and container on first use: for local runs only."""
    conversation_days: int = 90
    """How long a conversation is kept after its last turn."""

    azure_client_id: str = ""
    """The user-assigned identity to use; empty: whatever DefaultAzureCredential finds."""

    max_audio_bytes: int = 10_000_000
    max_audio_seconds: int = 60
    max_text_characters: int = 4000
    stt_seconds: float = 10.0
    assistant_seconds: float = 15.0
    tts_seconds: float = 8.0
    conversations_seconds: float = 3.0

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read and check all settings.

        Raises:
            SettingsError: naming every variable that is missing or malformed.
        """
        values: dict[str, Any] = {}
        wrong = []
        for field in fields(cls):
            name = field.name.upper()
            if text := environ.get(name, "").strip():
                try:
                    values[field.name] = _READ[field.type](text)
                except ValueError:
                    wrong.append(f"{name}={text!r} is no {_KIND[field.type]}")
            elif field.name.endswith("_endpoint"):
                wrong.append(f"{name} is missing")
        if wrong:
            raise SettingsError(f"{'; '.join(wrong)}. See docs/settings.md, or copy local.settings.json.")
        return cls(**values)


def _switch(text: str) -> bool:
    try:
        return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
    except KeyError as error:
        raise ValueError(text) from error


def _positive(read: Callable[[str], float]) -> Callable[[str], float]:
    def checked(text: str) -> float:
        if (value := read(text)) <= 0:
            raise ValueError(text)
        return value

    return checked


_READ: dict[Any, Callable[[str], Any]] = {str: str, int: _positive(int), float: _positive(float), bool: _switch}
_KIND: dict[Any, str] = {int: "positive whole number", float: "positive number", bool: "true or false"}
