"""Whatever a caller sends, read: names in any case, members we do not know left alone, text that can be sent on."""

import re
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from voice_core.domain.errors import InvalidInput

Model = TypeVar("Model", bound=BaseModel)

_HALF = re.compile("[\ud800-\udfff]")


class RequestModel(BaseModel):
    """Something a caller sends: camelCase names, matched whatever their case; members we do not know are ignored."""

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
            if alias and not _whole_characters(member):
                raise ValueError(f"{alias} has half a character in it")
            if alias and member is not None:
                folded[alias] = member
        return folded


def parsed(model: type[Model], value: Any) -> Model:
    """*value* as a *model*.

    Raises:
        InvalidInput: ``request-invalid``, naming each member that is wrong but not repeating what it held.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        wrong = [
            {"name": ".".join(str(part) for part in item["loc"]), "detail": item["msg"]}
            for item in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        response_headers = "; ".join(f"{item['name'] or 'the request'}: {item['detail']}" for item in wrong[:3])
        raise InvalidInput(f"Mend {response_headers}.", extra={"errors": wrong}) from None


def _whole_characters(value: Any) -> bool:
    """Whether text, or a list of it, can be sent on: JSON may hold halves of surrogate pairs (RFC 8259, 8.2)."""
    texts = value if isinstance(value, list) else [value]
    return not any(isinstance(text, str) and not text.isascii() and _HALF.search(text) for text in texts)
