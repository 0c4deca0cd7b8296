"""The words of an assistant's reply, within its deadline and its longest length."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from voice_core.domain.conversation import Turn
from voice_core.usecases.resilience.deadlines import paced
from voice_core.usecases.turn.services import TurnServices


async def reply_words(text: str, history: Sequence[Turn], services: TurnServices) -> AsyncGenerator[str]:
    """The reply to *text*, in pieces as the assistant writes them, at most `TurnServices.reply_characters`.

    A model that ignores its limit of tokens would block the event loop.

    Raises:
        ReplyRefused: by the content filter.
        StageFailed: with stage ``assistant``.
    """
    left = services.reply_characters
    async with aclosing(
        paced(services.assistant.reply(text, history), "assistant", services.deadlines.assistant)
    ) as words:
        async for piece in words:
            yield piece[:left]
            left -= len(piece)
            if left <= 0:
                return
