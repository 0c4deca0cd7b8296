"""The history that is sent to the assistant."""

from collections.abc import Iterator, Sequence

from openai.types.chat import ChatCompletionMessageParam

from voice_core.domain.conversation import Turn

CUT_OFF = "—"
CUT_OFF_NOTE = f"When a reply of yours ends in {CUT_OFF}, the user cut you off there and did not hear the rest."


def fitting(turns: Sequence[Turn], tokens: int) -> list[Turn]:
    """The latest of *turns* that need no more than *tokens* together, oldest first."""
    selected: list[Turn] = []
    for turn in reversed(turns):
        tokens -= _tokens(turn.transcript) + _tokens(turn.reply)
        if tokens < 0:
            break
        selected.insert(0, turn)
    return selected


def _tokens(text: str) -> int:
    """About how many tokens a message of *text* takes: one for every four bytes, which is OpenAI's rule of thumb for
    English and near enough elsewhere, and four for the message itself."""
    return len(text.encode(errors="replace")) // 4 + 4


def exchange(turn: Turn) -> Iterator[ChatCompletionMessageParam]:
    """The messages of *turn*: the user's, and the assistant's if there is a reply."""
    yield {"role": "user", "content": turn.transcript}
    reply = f"{turn.reply} {CUT_OFF}".lstrip() if turn.interrupted else turn.reply
    # A turn whose assistant failed has no reply, and some servers refuse an empty one.
    if reply:
        yield {"role": "assistant", "content": reply}
