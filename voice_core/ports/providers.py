"""What we need from the world, in our words.

Adapters raise the errors of ``domain.errors`` and nothing else, with the vendor's error chained. Closing an async
iterator before its end (``aclose``) cancels the work behind it at once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from voice_core.domain.conversation import Turn
    from voice_core.domain.speech import Hints, Interim, Transcript, Voice


class SpeechToText(Protocol):
    async def warm(self, hints: Hints) -> None:
        """Open what the next `transcribe` with these hints needs."""

    def transcribe(self, utterance: AsyncIterable[bytes], hints: Hints) -> AsyncGenerator[Interim | Transcript]:
        """Hear *utterance* (mono 16-bit PCM at 16 kHz) while it arrives.

        Yields interims as they come and then one Transcript of the whole utterance, last.

        Raises:
            NoSpeech: no words in it.
            StageFailed: with stage ``stt``.
        """


class Assistant(Protocol):
    async def warm(self) -> None:
        """Open what the next `reply` needs."""

    def reply(self, said: str, history: Sequence[Turn]) -> AsyncGenerator[str]:
        """Reply to *said* after *history*, oldest turn first, in pieces of text as they are written.

        Raises:
            ReplyRefused: the content filter stopped the prompt or the reply.
            StageFailed: with stage ``assistant``.
        """


class TextToSpeech(Protocol):
    async def warm(self, voice: str | None) -> None:
        """Open what the next `synthesize` with this voice needs.

        Raises:
            InvalidInput: ``voice-unknown``.
            StageFailed: with stage ``tts``.
        """

    def synthesize(self, text: str, voice: str | None) -> AsyncGenerator[bytes]:
        """Speak *text*, plain words, in *voice* or the default one.

        Yields mono 16-bit PCM at 24 kHz as it is made, in whole samples.

        Raises:
            InvalidInput: ``voice-unknown``.
            StageFailed: with stage ``tts``.
        """

    async def voices(self) -> Sequence[Voice]:
        """All voices that `synthesize` accepts."""


class Checkable(Protocol):
    async def check(self) -> None:
        """Reach the service and return, or raise StageFailed."""
