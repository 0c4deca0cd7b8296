"""Every setting the product reads, once, from the environment.

Names and defaults are listed in docs/settings.md.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from voice_core.environ import read


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One field a variable: ``speech_endpoint`` is read from ``SPEECH_ENDPOINT``."""

    speech_endpoint: str
    """``https://NAME.cognitiveservices.azure.com/`` or the emulator's address."""
    speech_key: str = ""
    """Empty: the app's identity is used."""
    speech_fallback_endpoint: str = ""
    """Of a resource in another region, asked likewise; empty: there is none."""
    speech_language: str = "en-US"
    speech_voice: str = "en-US-AvaMultilingualNeural"

    openai_endpoint: str
    """``https://NAME.openai.azure.com/openai/v1/`` or any OpenAI-compatible base URL."""
    openai_key: str = ""
    """Empty: the app's identity is used."""
    openai_model: str = "gpt-5.4-mini"
    """The deployment's or the model's name."""
    openai_fallback_endpoint: str = ""
    """Asked, with the same key or identity, when the first does not begin to reply; empty: there is none."""
    openai_fallback_model: str = ""
    """Empty: the same name."""
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

    auth_mode: Literal["easyauth", "jwt", "none"] = "jwt"
    """How callers say who they are; as it is, nobody is let in until there is an issuer to believe."""
    jwt_issuer: str = ""
    """Whose tokens are believed, exactly as their ``iss`` says it."""
    jwt_audience: str = ""
    """Whom tokens must be for; several are separated by spaces, and one is enough."""
    jwt_algorithms: str = "RS256 ES256"
    jwt_jwks_url: str = ""
    """Where the issuer's keys are; empty: where its ``/.well-known/openid-configuration`` says."""
    jwt_user_claim: str = "sub"
    """Says who it is: never given to somebody else, and never changed."""
    jwt_leeway_seconds: float = 60.0
    """By how much the issuer's clock and ours may differ."""
    jwt_outage_hours: float = 24.0
    """How long known keys are believed while the issuer is away."""
    identity_seconds: float = 3.0
    """Deadline for the issuer's keys."""
    website_site_name: str = ""
    website_instance_id: str = ""
    website_auth_enabled: bool = True
    """Set by Azure, like the two before."""

    turns_per_minute: int = 10
    """Of one user, like all of these; spoken or typed, by request or in a session."""
    transcripts_per_minute: int = 20
    speeches_per_minute: int = 20
    sessions_per_hour: int = 60
    clips_per_day: int = 50
    audio_seconds_per_day: int = 14_400
    """Of all that is heard, from midnight UTC."""
    limits_when_down: Literal["open", "closed"] = "open"
    """While the store of limits is away: each worker counts by itself, or nobody is admitted."""
    limits_seconds: float = 2.0
    """Deadline for that."""

    max_audio_bytes: int = 10_000_000
    max_audio_seconds: int = 60
    max_text_characters: int = 4000
    body_seconds: float = 180.0
    """From the first look at a request's body to its end; Azure gives up a while later."""
    body_stall_seconds: float = 10.0
    """Between two pieces of it."""
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
    request_claim_seconds: float = 15.0
    """How long a worker may be silent before another answers the request that it was at."""
    storage_seconds: float = 5.0

    breaker_failures: int = 5
    """In a row, after which a provider is left alone."""
    breaker_seconds: float = 15.0
    """For how long; then one call tries it again."""
    stt_concurrent: int = 100
    """Recognitions at once in this process, clips among them: a share of what the resource's quota allows."""
    tts_concurrent: int = 200
    provider_wait_seconds: float = 2.0
    """For a place among those."""

    applicationinsights_connection_string: str = ""
    """Where telemetry goes; empty: not there."""
    otel_exporter_otlp_endpoint: str = ""
    """Or where a collector takes it; empty: not there either."""
    otel_traces_sampler_arg: float = 1.0
    """Share of the turns whose spans are told, besides those that failed or were slow."""
    slow_turn_seconds: float = 5.0
    """From the end of the utterance; longer is slow."""
    user_salt: str = ""
    """Goes into the pseudonyms of users in telemetry."""
    debug_turns: bool = False
    """Show the last turns at ``/debug/turns``: for local runs only."""

    @property
    def in_azure(self) -> bool:
        """Whether Azure runs this: one of them is there on every plan."""
        return bool(self.website_site_name or self.website_instance_id)

    @property
    def fallback(self) -> "Settings":
        """Those by which the providers to fall back on are reached; an endpoint that is empty names none."""
        return replace(
            self,
            speech_endpoint=self.speech_fallback_endpoint,
            openai_endpoint=self.openai_fallback_endpoint,
            openai_model=self.openai_fallback_model or self.openai_model,
        )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read and check all settings.

        Raises:
            SettingsError: naming every variable that is missing or malformed.
        """
        return cls(**read(cls, environ))


def clip_source(environ: Mapping[str, str] = os.environ) -> str:
    """Who tells of new recordings: Event Grid, or the host's own looking around, which a plan may not have.

    The host asks for it before there are settings.
    """
    return environ.get("CLIP_SOURCE", "EventGrid")


def http_auth_level(environ: Mapping[str, str] = os.environ) -> str:
    """What the host asks of callers before the app sees them: ANONYMOUS, nothing; FUNCTION, one of its keys."""
    return environ.get("HTTP_AUTH_LEVEL", "anonymous").upper()


def shows_turns(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether there is ``/debug/turns``: where it is wished for, and never in Azure. Asked likewise."""
    in_azure = environ.get("WEBSITE_SITE_NAME") or environ.get("WEBSITE_INSTANCE_ID")
    return environ.get("DEBUG_TURNS", "").strip().lower() in ("true", "1") and not in_azure
