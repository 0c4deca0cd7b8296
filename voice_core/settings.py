"""Every setting the product reads, once, from the environment.

Names and defaults are listed in docs/settings.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from voice_core.environ import read


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
    openai_model: str = "gpt-5.4-mini"
    """The deployment's or the model's name."""
    openai_reasoning_effort: str = ""
    """Of a reasoning model, as the service names it; empty: nothing is sent."""
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

    storage_url: str = ""
    """``https://NAME.blob.core.windows.net`` or the emulator's address with the account; empty: no clips."""
    storage_key: str = ""
    """Empty: the app's identity is used."""
    storage_create: bool = False
    """Create containers on first use: for local runs only."""
    max_clip_bytes: int = 1_000_000_000
    max_clip_seconds: int = 14_400
    clip_upload_seconds: int = 900
    """How long the upload of a clip may begin."""
    clip_segments: int = 4
    """Of one clip, in recognition at once."""
    clip_stt_seconds: float = 60.0
    clip_attempts: int = 5
    """By workers, at one clip; the host's own is ``poisonBlobThreshold`` in host.json."""
    clip_claim_seconds: float = 60.0
    """How long a worker may be silent before another goes on."""
    clip_days: int = 30
    """How long a clip's job is kept; storage's lifecycle rules say the same of recordings and what is made of them."""
    clip_summary_characters: int = 2000
    """Longer transcripts are summarised, not answered."""
    clip_prompt: str = (
        "What follows is the transcript of a long recording. Say in a few spoken sentences what it is about, what was"
        " decided and what is to be done."
    )
    speech_hours: int = 24
    """How long speech can be fetched by its URL."""

    azure_client_id: str = ""
    """The user-assigned identity to use; empty: whatever DefaultAzureCredential finds."""

    max_audio_bytes: int = 10_000_000
    max_audio_seconds: int = 60
    max_text_characters: int = 4000
    ice_servers: str = ""
    """JSON as RTCPeerConnection takes it: ``[{"urls": [...], "username": "...", "credential": "..."}]``."""
    turn_urls: str = ""
    """Relays, as ``turns:HOST:443?transport=tcp``, separated by spaces; `turn_secret` makes their credentials."""
    turn_secret: str = ""
    """The ``static-auth-secret`` of coturn, or whatever the relay calls it."""
    turn_seconds: int = 3600
    """How long a minted credential is good."""
    ice_relay_only: bool = False
    """Use and tell no addresses but the relay's: in Azure there is no other way in."""
    sessions_max: int = 20
    """At once in one worker."""
    session_idle_seconds: float = 120.0
    session_max_seconds: float = 1800.0
    session_grace_seconds: float = 15.0
    """How long a client may be out of touch."""

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
        return cls(**read(cls, environ))


def clip_source(environ: Mapping[str, str]) -> str:
    """Who tells of new recordings: Event Grid, or the host's own looking around, which a plan may not have.

    The host asks for it before there are settings.
    """
    return environ.get("CLIP_SOURCE", "EventGrid")
