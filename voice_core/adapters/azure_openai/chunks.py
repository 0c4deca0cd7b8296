"""What the service sends of a reply."""

from dataclasses import dataclass, field

from openai.types.chat import ChatCompletionChunk

from voice_core import telemetry
from voice_core.adapters.azure_openai.failures import STAGE
from voice_core.domain.errors import StageFailed


@dataclass(frozen=True, slots=True)
class Piece:
    """What one chunk holds; any of it may be missing."""

    text: str = ""
    finish_reason: str | None = None
    facts: telemetry.Facts = field(default_factory=dict)
    """Who replied, and the tokens that were used (https://opentelemetry.io/docs/specs/semconv/gen-ai/)."""


def read(chunk: ChatCompletionChunk) -> Piece:
    """What *chunk* holds.

    Raises:
        StageFailed: the chunk is not what it should be; the SDK does not look.
    """
    try:
        facts = _facts(chunk)
        if not chunk.choices:
            return Piece(facts=facts)
        choice = chunk.choices[0]
        text = "".join(choice.delta.content or choice.delta.refusal or ())
        return Piece(_whole_characters(text), choice.finish_reason, facts)
    except (AttributeError, TypeError, LookupError) as error:
        raise StageFailed("The assistant sent what nobody understands.", stage=STAGE) from error


def _whole_characters(text: str) -> str:
    """*text* with a mark where JSON had half a character (RFC 8259, 8.2), of which no answer could be made."""
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
