"""The documents and events of a reply."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

_IDS = count(1)


def tokens_of(text: str) -> list[str]:
    """*text* as words, each with the white space that follows it."""
    return re.findall(r"^\s*\S+\s*|\S+\s*", text)


@dataclass(frozen=True, slots=True)
class Completion:
    """One reply, in the shape of a ``chat.completion`` or of its chunks."""

    model: str
    tokens: tuple[str, ...]
    finish_reason: str
    prompt_tokens: int
    id: str = field(default_factory=lambda: f"chatcmpl-{next(_IDS)}")
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def usage(self) -> dict[str, int]:
        written = len(self.tokens)
        total = self.prompt_tokens + written
        return {"prompt_tokens": self.prompt_tokens, "completion_tokens": written, "total_tokens": total}

    def whole(self) -> dict[str, Any]:
        """The complete reply as one document."""
        message = {"role": "assistant", "content": "".join(self.tokens), "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish_reason}
        return self._document("chat.completion", [choice], usage=self.usage)

    def first(self, *, azure: bool) -> Iterator[bytes]:
        """The events before the first token; Azure's service begins with the prompt's content filter result."""
        if azure:
            yield self._event([], prompt_filter_results=[{"prompt_index": 0, "content_filter_results": {}}])
        yield self._delta({"role": "assistant", "content": "", "refusal": None})

    def token(self, text: str) -> bytes:
        """The event of one token."""
        return self._delta({"content": text})

    def last(self, *, include_usage: bool) -> Iterator[bytes]:
        """The events after the last token."""
        yield self._delta({}, self.finish_reason)
        if include_usage:
            yield self._event([], usage=self.usage)
        yield b"data: [DONE]\n\n"

    def _delta(self, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        return self._event([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}])

    def _event(self, choices: list[dict[str, Any]], **more: Any) -> bytes:
        document = self._document("chat.completion.chunk", choices, **more)
        return b"data: " + json.dumps(document, ensure_ascii=False).encode() + b"\n\n"

    def _document(self, kind: str, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": None,
            "choices": choices,
            **more,
        }
