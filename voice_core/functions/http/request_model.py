"""The base of all request schemas: names in any case, unknown and empty members ignored, text that can be encoded."""

import re
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from voice_core.domain.errors import InvalidInput

Model = TypeVar("Model", bound=BaseModel)

LONGEST_TEXT = 128_000
"""Characters; only a recording is longer, and that is ASCII."""

_MAY_BE_EMPTY = ("text", "audioData")
"""Members for which an empty text has an error of its own. Other empty ones are absent: forms send all fields."""

_SURROGATE = re.compile("[\ud800-\udfff]")


class RequestModel(BaseModel):
    """A request's members: camelCase names, matched in any case; unknown members are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _fold_names(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        known = {field.alias.lower(): field.alias for field in cls.model_fields.values() if field.alias}
        folded: dict[str, Any] = {}
        for name, member in value.items():
            alias = known.get(str(name).lower())
            if alias in folded:
                raise ValueError(f"{alias} is given twice")
            if alias and not _encodable(member):
                raise ValueError(f"{alias} contains half of a surrogate pair")
            if alias and member is not None and (member != "" or alias in _MAY_BE_EMPTY):
                folded[alias] = member
        return folded


def parsed(model: type[Model], value: Any) -> Model:
    """*value* as a *model*.

    Raises:
        InvalidInput: ``request-invalid``, naming each invalid member without repeating its value.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = [
            {"name": ".".join(str(part) for part in item["loc"]), "detail": _advice(item["type"], item["msg"])}
            for item in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        listed = "; ".join(f"{item['name'] or 'the request'}: {item['detail']}" for item in problems[:3])
        raise InvalidInput(f"Invalid request: {listed}.", extra={"errors": problems}) from None


def _advice(kind: str, message: str) -> str:
    """The error's *message*, for a person: none can read a regular expression."""
    if kind == "string_pattern_mismatch":
        return "This is not in the form that docs/api.md shows"
    return message.removeprefix("Value error, ")


def _encodable(value: Any) -> bool:
    """Whether text, or a list of texts, can be encoded: JSON may hold halves of surrogate pairs (RFC 8259, 8.2)."""
    texts = value if isinstance(value, list) else [value]
    return not any(isinstance(text, str) and not text.isascii() and _has_surrogate(text) for text in texts)


def _has_surrogate(text: str) -> bool:
    """Whether half of a surrogate pair is in *text*. A text longer than any is refused for that, so it is not read."""
    return len(text) <= LONGEST_TEXT and bool(_SURROGATE.search(text))
