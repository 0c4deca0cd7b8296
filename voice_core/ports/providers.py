"""Ports of the providers: speech to text, assistant and text to speech.

Adapters raise only the errors of ``domain.errors``, with the vendor's error chained. Closing an async iterator before
its end (``aclose``) cancels the work behind it at once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from typing import Protocol

from voice_core.domain.conversation import Turn
from voice_core.domain.speech import Hints, Interim, Transcript, Voice


class SpeechToText(Protocol):
    async def warm(self, hints: Hints) -> None:
        """Open the connections that the next `transcribe` with these hints needs."""

    def transcribe(self, utterance: AsyncIterable[bytes], hints: Hints) -> AsyncGenerator[Interim | Transcript]:
        """Transcribe *utterance* (mono 16-bit PCM at 16 kHz) while it arrives.

        Yields interims as they come, and at last one Transcript of the complete utterance.

        Raises:
            NoSpeech: there are no words in it.
            StageFailed: with stage ``stt``.
        """


class Assistant(Protocol):
    async def warm(self) -> None:
        """Open the connections that the next `reply` needs."""

    def reply(self, text: str, history: Sequence[Turn]) -> AsyncGenerator[str]:
        """Reply to *text* after *history*, oldest turn first, in pieces of text as they are written.

        Raises:
            ReplyRefused: the content filter stopped the prompt or the reply.
            StageFailed: with stage ``assistant``.
        """


class TextToSpeech(Protocol):
    async def warm(self, voice: str | None) -> None:
        """Open the connections that the next `synthesize` with this voice needs.

        Raises:
            InvalidInput: ``voice-unknown``.
            StageFailed: with stage ``tts``.
        """

    def synthesize(self, text: str, voice: str | None) -> AsyncGenerator[bytes]:
        """Speak *text*, plain words, in *voice* or the default one.

        Yields mono 16-bit PCM at 24 kHz, in whole samples, as it is synthesized.

        Raises:
            InvalidInput: ``voice-unknown``.
            StageFailed: with stage ``tts``.
        """

    async def voices(self) -> Sequence[Voice]:
        """All voices that `synthesize` accepts."""


class Checkable(Protocol):
    async def check(self) -> None:
        """Reach the service and return, or raise StageFailed."""
