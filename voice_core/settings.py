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
    """Endpoint of a Speech resource in another region, called in the same way; empty: there is none."""
    speech_language: str = "en-US"
    speech_voice: str = "en-US-AvaMultilingualNeural"

    openai_endpoint: str
    """``https://NAME.openai.azure.com/openai/v1/`` or any OpenAI-compatible base URL."""
    openai_key: str = ""
    """Empty: the app's identity is used."""
    openai_model: str = "gpt-5.4-mini"
    """The deployment's or the model's name."""
    openai_fallback_endpoint: str = ""
    """Called, with the same key or identity, when the first does not begin to reply; empty: there is none."""
    openai_fallback_model: str = ""
    """Empty: the same name."""
    openai_reasoning_effort: str = ""
    """Effort of a reasoning model, as the service names it; empty: nothing is sent."""
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
    """How long a conversation is stored after its last turn."""

    storage_url: str = ""
    """``https://NAME.blob.core.windows.net`` or the emulator's address with the account; empty: no clips."""
    storage_key: str = ""
    """Empty: the app's identity is used."""
    storage_create: bool = False
    """Create containers on first use: for local runs only."""
    max_clip_bytes: int = 1_000_000_000
    max_clip_seconds: int = 14_400
    clip_upload_seconds: int = 900
    """How long after its request the upload of a clip may begin."""
    clip_segments: int = 4
    """Segments of one clip that are recognised concurrently."""
    clip_stt_seconds: float = 60.0
    clip_attempts: int = 5
    """Attempts of workers at one clip; the host's own limit is ``poisonBlobThreshold`` in host.json."""
    clip_claim_seconds: float = 60.0
    """How long a worker may fail to renew its lease before another worker continues."""
    clip_days: int = 30
    """How long a clip's job is stored; the storage's lifecycle rules have the same time for recordings and results."""
    clip_summary_characters: int = 2000
    """Longer transcripts are summarised instead of replied to."""
    clip_prompt: str = (
        "What follows is the transcript of a long recording. Say in a few spoken sentences what it is about, what was"
        " decided and what is to be done."
    )
    speech_hours: int = 24
    """How long speech can be fetched by its URL."""

    azure_client_id: str = ""
    """The user-assigned identity to use; empty: whatever DefaultAzureCredential finds."""

    auth_mode: Literal["easyauth", "jwt", "none"] = "jwt"
    """How callers are identified; by default all are rejected until an issuer is set."""
    jwt_issuer: str = ""
    """The issuer of valid tokens, exactly as in their ``iss``."""
    jwt_audience: str = ""
    """The audience of valid tokens; several are separated by spaces, and a token needs one of them."""
    jwt_algorithms: str = "RS256 ES256"
    jwt_jwks_url: str = ""
    """URL of the issuer's keys; empty: the one in its ``/.well-known/openid-configuration``."""
    jwt_user_claim: str = "sub"
    """The claim that identifies the user; its value must never change, and never be given to another user."""
    jwt_leeway_seconds: float = 60.0
    """How much the issuer's clock and ours may differ."""
    jwt_outage_hours: float = 24.0
    """How long known keys are accepted while the issuer is unavailable."""
    identity_seconds: float = 3.0
    """Deadline for the issuer's keys."""
    website_site_name: str = ""
    website_instance_id: str = ""
    website_auth_enabled: bool = True
    """Set by Azure, like the two before."""

    turns_per_minute: int = 10
    """Limit of one user, like all of these. Turns are spoken or typed, by request or in a session."""
    transcripts_per_minute: int = 20
    speeches_per_minute: int = 20
    sessions_per_hour: int = 60
    clips_per_day: int = 50
    reads_per_minute: int = 300
    """Requests that read; counted by each worker for itself, like the next."""
    changes_per_minute: int = 120
    """Requests that delete or change."""
    audio_seconds_per_day: int = 14_400
    """Seconds of sound that are received, from midnight UTC."""
    limits_when_down: Literal["open", "closed"] = "open"
    """While the store of limits is unavailable: each worker counts by itself, or every request is rejected."""
    limits_seconds: float = 2.0
    """Deadline for the store of limits."""

    max_audio_bytes: int = 10_000_000
    max_audio_seconds: int = 60
    max_text_characters: int = 4000
    body_seconds: float = 180.0
    """From the first read of a request's body to its end; Azure gives up somewhat later."""
    body_stall_seconds: float = 10.0
    """Between two pieces of a body."""
    ice_servers: str = ""
    """JSON as RTCPeerConnection takes it: ``[{"urls": [...], "username": "...", "credential": "..."}]``."""
    turn_urls: str = ""
    """Relays, as ``turns:HOST:443?transport=tcp``, separated by spaces; `turn_secret` makes their credentials."""
    turn_secret: str = ""
    """The ``static-auth-secret`` of coturn, or whatever the relay calls it."""
    turn_seconds: int = 3600
    """How long the credentials that `turn_secret` makes are valid."""
    ice_relay_only: bool = False
    """Use and announce no addresses but the relay's: in Azure there is no other way in."""
    ice_private_addresses: bool = False
    """Without `ice_relay_only`: send checks to private and loopback addresses of clients: for local runs only."""
    sessions_max: int = 20
    """Concurrent sessions in one worker."""
    sessions_per_user: int = 2
    """Concurrent sessions of one user in one worker; the oldest without a turn ends when another is opened."""
    session_idle_seconds: float = 120.0
    session_max_seconds: float = 1800.0
    session_grace_seconds: float = 15.0
    """How long a session lives after its client was lost."""

    stt_seconds: float = 10.0
    assistant_seconds: float = 15.0
    tts_seconds: float = 8.0
    conversations_seconds: float = 3.0
    request_claim_seconds: float = 15.0
    """How long a worker may fail to renew its lease before another worker serves the request."""
    storage_seconds: float = 5.0

    breaker_failures: int = 5
    """Consecutive failures after which calls of a provider are suspended."""
    breaker_seconds: float = 15.0
    """For how long calls are suspended; then one call is tried."""
    stt_concurrent: int = 100
    """Concurrent recognitions in this process, those of clips included: a share of the resource's quota."""
    tts_concurrent: int = 200
    provider_wait_seconds: float = 2.0
    """How long a call waits for a slot among these."""

    applicationinsights_connection_string: str = ""
    """Application Insights, which receives telemetry; empty: none."""
    otel_exporter_otlp_endpoint: str = ""
    """An OpenTelemetry collector, which receives it otherwise; empty: none."""
    otel_traces_sampler_arg: float = 1.0
    """Share of the turns whose spans are exported, in addition to those that failed or were slow."""
    slow_turn_seconds: float = 5.0
    """From the end of the utterance; a turn that takes longer is slow."""
    user_salt: str = ""
    """Salt of the pseudonyms of users in telemetry."""
    debug_turns: bool = False
    """Show the last turns at ``/debug/turns``: for local runs only."""

    @property
    def in_azure(self) -> bool:
        """Whether the process runs in Azure, which sets at least one of the two on every plan."""
        return bool(self.website_site_name or self.website_instance_id)

    @property
    def fallback(self) -> "Settings":
        """The settings of the fallback providers; an empty endpoint means that there is none."""
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
    """The source of events for new recordings: Event Grid, or the host's own polling, which a plan may not have.

    The host needs it before the settings are read.
    """
    return environ.get("CLIP_SOURCE", "EventGrid")


def http_auth_level(environ: Mapping[str, str] = os.environ) -> str:
    """The check by the host before the app sees a request: ANONYMOUS, none; FUNCTION, one of the host's keys."""
    return environ.get("HTTP_AUTH_LEVEL", "anonymous").upper()


def shows_turns(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether there is ``/debug/turns``: where it is set, and never in Azure. Read before the settings, too."""
    in_azure = environ.get("WEBSITE_SITE_NAME") or environ.get("WEBSITE_INSTANCE_ID")
    return environ.get("DEBUG_TURNS", "").strip().lower() in ("true", "1") and not in_azure
