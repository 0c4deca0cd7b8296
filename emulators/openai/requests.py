"""Validation of requests to the chat completions endpoint.

Source: the request body of ``POST /chat/completions`` in OpenAI's API reference. Unknown fields are ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from emulators.openai.messages import text_of, texts_of

KEYS = web.AppKey("keys", frozenset[str])
ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


class RefusedError(Exception):
    """The request is refused with an error document."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.document = error_document(message, "invalid_request_error", code=code, param=param)


def error_document(message: str, kind: str, *, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    """An error in OpenAI's format."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def authorize(request: web.Request) -> None:
    """Require one of the app's keys, or any key if it has none.

    Raises:
        RefusedError: 401.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    key = request.headers.get("api-key") or (token.strip() if scheme.lower() == "bearer" else "")
    if not key:
        raise RefusedError(401, "You didn't provide an API key.", code="invalid_api_key")
    if (keys := request.app[KEYS]) and key not in keys:
        raise RefusedError(401, "Incorrect API key provided.", code="invalid_api_key")


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One valid request for a reply."""

    model: str
    messages: tuple[Mapping[str, Any], ...]
    stream: bool
    include_usage: bool
    max_tokens: int | None

    @classmethod
    def from_json(cls, document: Any) -> "ChatRequest":
        """Check *document*.

        Raises:
            RefusedError: 400, with the name of the parameter.
        """
        if not isinstance(document, dict):
            raise RefusedError(400, "We could not parse the JSON body of your request.")
        _check_types(document)
        _check_messages(document["messages"])
        stream = document.get("stream") or False
        options = document.get("stream_options") or {}
        if options and not stream:
            raise RefusedError(400, "'stream_options' is only allowed when 'stream' is true.", param="stream_options")
        if None not in (document.get("max_tokens"), document.get("max_completion_tokens")):
            raise RefusedError(400, "Give 'max_tokens' or 'max_completion_tokens', not both.", param="max_tokens")
        return cls(
            model=document["model"],
            messages=tuple(document["messages"]),
            stream=stream,
            include_usage=bool(options.get("include_usage")),
            max_tokens=document.get("max_completion_tokens") or document.get("max_tokens"),
        )

    @property
    def prompt_tokens(self) -> int:
        """Length of the prompt in words."""
        return sum(len(text_of(message.get("content")).split()) for message in self.messages)


def facts_of(document: Any) -> dict[str, Any]:
    """The logged facts of a request, which need not be valid."""
    if not isinstance(document, dict):
        return {}
    messages = document.get("messages")
    messages = [m for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []
    return {
        "model": document.get("model"),
        "messages": len(messages),
        "said": (texts_of(messages, "user") or [""])[-1],
        "stream": document.get("stream", False),
        "tokens": 0,
    }


_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "model": ((str,), "a string"),
    "messages": ((list,), "an array of objects"),
    "stream": ((bool,), "a boolean"),
    "stream_options": ((dict,), "an object"),
    "max_tokens": ((int,), "an integer"),
    "max_completion_tokens": ((int,), "an integer"),
    "n": ((int,), "an integer"),
    "temperature": ((int, float), "a decimal"),
    "top_p": ((int, float), "a decimal"),
    "presence_penalty": ((int, float), "a decimal"),
    "frequency_penalty": ((int, float), "a decimal"),
    "stop": ((str, list), "a string or an array of strings"),
    "user": ((str,), "a string"),
}
_RANGES: dict[str, tuple[float, float]] = {
    "max_tokens": (1, 1_000_000),
    "max_completion_tokens": (1, 1_000_000),
    "n": (1, 1),
    "temperature": (0, 2),
    "top_p": (0, 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
}


def _check_types(document: Mapping[str, Any]) -> None:
    for param in ("model", "messages"):
        if document.get(param) in (None, "", []):
            raise RefusedError(
                400, f"Missing required parameter: '{param}'.", code="missing_required_parameter", param=param
            )
    for param, (types, kind) in _TYPES.items():
        value = document.get(param)
        if value is None:
            continue
        # bool is a subclass of int in Python, but not a number in JSON.
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise RefusedError(400, f"Invalid type for '{param}': expected {kind}.", code="invalid_type", param=param)
        if param in _RANGES:
            _check_range(param, document[param])


def _check_range(param: str, value: float) -> None:
    low, high = _RANGES[param]
    if not low <= value <= high:
        raise RefusedError(400, f"Invalid '{param}': expected {low} to {high}.", code="invalid_value", param=param)


def _check_messages(messages: list[Any]) -> None:
    for index, message in enumerate(messages):
        param = f"messages[{index}]"
        if not isinstance(message, dict):
            raise RefusedError(
                400, f"Invalid type for '{param}': expected an object.", code="invalid_type", param=param
            )
        if message.get("role") not in ROLES:
            param = f"{param}.role"
            raise RefusedError(400, f"Invalid value for '{param}'.", code="invalid_value", param=param)
        if not _readable(message):
            param = f"{param}.content"
            raise RefusedError(400, f"Invalid type for '{param}': expected a string.", code="invalid_type", param=param)


def _readable(message: Mapping[str, Any]) -> bool:
    content = message.get("content")
    if isinstance(content, list):
        return bool(content) and all(_is_part(part) for part in content)
    return isinstance(content, str) or (content is None and message["role"] == "assistant")


def _is_part(part: Any) -> bool:
    if not isinstance(part, dict):
        return False
    kind = part.get("type")
    return isinstance(part.get("text"), str) if kind == "text" else isinstance(kind, str)
