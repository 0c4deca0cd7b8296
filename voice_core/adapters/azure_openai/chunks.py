"""Chunks of a streamed reply."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import Choice

from voice_core import telemetry
from voice_core.adapters.azure_openai.failures import STAGE
from voice_core.domain.errors import StageFailed

CONTENT_FILTER = "content_filter"
"""The finish reason of a reply that the content filter stopped."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The content of one chunk; any part may be missing."""

    text: str = ""
    finish_reason: str | None = None
    facts: telemetry.Facts = field(default_factory=dict)
    """The model that replied, and the tokens used (https://opentelemetry.io/docs/specs/semconv/gen-ai/)."""

    @property
    def refused(self) -> bool:
        return self.finish_reason == CONTENT_FILTER


def read(chunk: ChatCompletionChunk) -> Piece:
    """The text, end and usage in *chunk*.

    Azure's asynchronous content filter sends its verdicts in chunks of their own, whose choice has no ``delta``:
    between the tokens, after the last one, and after the finish reason
    (https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-streaming, "Annotation message").

    Raises:
        StageFailed: the chunk is malformed; the SDK does not check it.
    """
    try:
        # We request one reply; other indices, from a server that writes more, are other replies.
        choices = [choice for choice in chunk.choices or () if _checked(choice).index in (0, None)]
        text = "".join(_text(choice) for choice in choices)
        return Piece(_whole_characters(text), _finish_reason(choices), _facts(chunk))
    except (AttributeError, TypeError, LookupError) as error:
        raise StageFailed("The assistant's response could not be parsed.", stage=STAGE) from error


def _checked(choice: object) -> Choice:
    if not isinstance(choice, Choice):
        raise TypeError("A choice is an object.")
    return choice


def _text(choice: Choice) -> str:
    # The SDK's types promise a delta even where the service sends none, or null.
    delta: Any = choice.delta
    text = "" if delta is None else delta.content or delta.refusal or ""
    if not isinstance(text, str):
        raise TypeError("Content is text.")
    return text


def _finish_reason(choices: Sequence[Choice]) -> str | None:
    if any(_is_filtered(choice) for choice in choices):
        return CONTENT_FILTER
    return next((choice.finish_reason for choice in choices if choice.finish_reason), None)


def _is_filtered(choice: Choice) -> bool:
    """Whether the filter stopped the reply: ``filtered`` counts, a category that is only ``detected`` does not."""
    verdicts = _verdicts(getattr(choice, "content_filter_results", None))
    return any(verdict.get("filtered") is True for verdict in verdicts) or choice.finish_reason == CONTENT_FILTER


def _verdicts(results: object) -> Iterator[Mapping[str, Any]]:
    """The verdicts of all categories in *results*; that of custom blocklists may be a list of verdicts."""
    for category in results.values() if isinstance(results, Mapping) else ():
        yield from (one for one in (category if isinstance(category, list) else [category]) if isinstance(one, Mapping))


def _whole_characters(text: str) -> str:
    """*text* with U+FFFD for each unpaired surrogate (RFC 8259, 8.2), which could not be encoded in a response."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _facts(chunk: ChatCompletionChunk) -> telemetry.Facts:
    if (usage := getattr(chunk, "usage", None)) is None:
        return {}
    facts: telemetry.Facts = {
        "gen_ai.response.model": chunk.model,
        "gen_ai.usage.input_tokens": usage.prompt_tokens,
        "gen_ai.usage.output_tokens": usage.completion_tokens,
    }
    details = getattr(usage, "prompt_tokens_details", None)
    cached = getattr(details, "cached_tokens", None)
    return facts if cached is None else facts | {"gen_ai.usage.cache_read.input_tokens": cached}
