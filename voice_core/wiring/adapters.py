"""The adapters that serve the ports."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from voice_core.settings import Settings
from voice_core.wiring.lazy import Lazy, Parts

if TYPE_CHECKING:
    from voice_core.adapters.aiortc_sessions.peers import AiortcPeers
    from voice_core.adapters.azure_openai.assistant import AzureOpenAIAssistant
    from voice_core.adapters.azure_speech.access import SpeechAccess
    from voice_core.adapters.azure_speech.recognition import AzureSpeechToText
    from voice_core.adapters.azure_speech.synthesis import AzureTextToSpeech
    from voice_core.adapters.cosmos.container import Database
    from voice_core.adapters.cosmos.conversations import CosmosConversations
    from voice_core.adapters.cosmos.requests import CosmosRequests
    from voice_core.adapters.cosmos.usage import CosmosUsage
    from voice_core.adapters.entra import EntraTokens
    from voice_core.ports.identity import Callers
    from voice_core.ports.providers import Checkable

COGNITIVE_SCOPE = "https://cognitiveservices.azure.com/.default"
"""The scope of tokens for Speech and Azure OpenAI."""

REQUEST_SECONDS = 86_400
"""How long an Idempotency-Key is stored."""


class Adapters(Parts):
    """The adapters of one worker process, each built when it is first used."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings

    @Lazy
    def stt(self) -> "AzureSpeechToText":
        from voice_core.adapters.azure_speech.recognition import AzureSpeechToText

        return AzureSpeechToText(
            self.speech, language=self.settings.speech_language, final_seconds=self.settings.stt_seconds
        )

    @Lazy
    def tts(self) -> "AzureTextToSpeech":
        from voice_core.adapters.azure_speech.synthesis import AzureTextToSpeech

        return AzureTextToSpeech(self.speech, voice=self.settings.speech_voice, chunk_seconds=self.settings.tts_seconds)

    @Lazy
    def assistant(self) -> "AzureOpenAIAssistant":
        from voice_core.adapters.azure_openai.assistant import AzureOpenAIAssistant

        settings = self.settings
        return AzureOpenAIAssistant(
            settings.openai_endpoint,
            key=settings.openai_key or None,
            token=self._token(settings.openai_key),
            model=settings.openai_model,
            system_prompt=settings.system_prompt,
            history_turns=settings.history_turns,
            history_tokens=settings.history_tokens,
            max_reply_tokens=settings.max_reply_tokens,
            reasoning_effort=settings.openai_reasoning_effort,
            first_token_seconds=settings.assistant_seconds,
            next_token_seconds=settings.assistant_seconds,
        )

    @Lazy
    def database(self) -> "Database":
        """The Cosmos DB database of all stores."""
        from voice_core.adapters.cosmos.container import Database

        settings = self.settings
        credential = settings.cosmos_key or self.identity()
        return Database(settings.cosmos_endpoint, credential, settings.cosmos_database, settings.cosmos_create)

    @Lazy
    def conversations(self) -> "CosmosConversations":
        from voice_core.adapters.cosmos.conversations import CosmosConversations

        settings = self.settings
        return CosmosConversations(
            self.database,
            ttl_seconds=settings.conversation_days * 86_400,
            deadline_seconds=settings.conversations_seconds,
        )

    @Lazy
    def requests(self) -> "CosmosRequests":
        from voice_core.adapters.cosmos.requests import CosmosRequests

        return CosmosRequests(
            self.database, ttl_seconds=REQUEST_SECONDS, deadline_seconds=self.settings.conversations_seconds
        )

    @Lazy
    def usage(self) -> "CosmosUsage":
        from voice_core.adapters.cosmos.usage import CosmosUsage

        return CosmosUsage(self.database, deadline_seconds=self.settings.limits_seconds)

    @Lazy
    def callers(self) -> "Callers":
        from voice_core.wiring.identity import callers

        return callers(self.settings)

    @Lazy
    def peers(self) -> "AiortcPeers":
        from voice_core.adapters.aiortc_sessions.peers import AiortcPeers

        return AiortcPeers(
            relay_only=self.settings.ice_relay_only, private_addresses=self.settings.ice_private_addresses
        )

    @Lazy
    def speech(self) -> "SpeechAccess":
        """Endpoint and credentials of the Speech service, for recognition and synthesis."""
        from voice_core.adapters.azure_speech.access import SpeechAccess

        settings = self.settings
        return SpeechAccess(
            settings.speech_endpoint,
            key=settings.speech_key or None,
            token=self._token(settings.speech_key),
        )

    @property
    def services_of_turns(self) -> dict[str, "Checkable"]:
        """The external services that a turn needs, by their names in the health report."""
        return {
            "stt": self.stt,
            "assistant": self.assistant,
            "tts": self.tts,
            "conversations": self.conversations,
            "requests": self.requests,
            "limits": self.usage,
            "identity": self.callers,
        }

    @property
    def fallbacks(self) -> dict[str, "Checkable"]:
        """The providers whose endpoints are set, by the names of their circuit breakers as fallback providers."""
        speech: dict[str, Checkable] = {}
        if self.settings.speech_endpoint:
            speech = {"stt-fallback": self.stt, "tts-fallback": self.tts}
        return speech | ({"assistant-fallback": self.assistant} if self.settings.openai_endpoint else {})

    def identity(self) -> Any:
        """The app's own identity, for services without a key."""
        return self._entra.credential

    @Lazy
    def _entra(self) -> "EntraTokens":
        from voice_core.adapters.entra import EntraTokens

        return EntraTokens(self.settings.azure_client_id or None)

    def _token(self, key: str) -> Callable[[], Awaitable[str]] | None:
        if key:
            return None
        entra = self._entra
        return lambda: entra.token(COGNITIVE_SCOPE)
