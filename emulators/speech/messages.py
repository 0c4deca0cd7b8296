"""Frames of the Speech service's WebSocket protocol: header lines, a blank line, a body."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulators.speech.refusals import RequestRefused

LENGTH_BYTES = 2
"""Size of the length of the header lines with which a binary frame begins, big-endian."""


class MalformedMessage(RequestRefused):
    """The frame violates the protocol."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message from a client."""

    path: str
    request_id: str
    """32 hexadecimal digits, the same for all messages of a turn; empty for ``speech.config``."""
    body: bytes = field(repr=False)

    @classmethod
    def from_frame(cls, frame: str | bytes) -> "Message":
        """Parse a text or a binary frame.

        Raises:
            MalformedMessage: the frame has no path, or ends within its headers.
        """
        headers, body = _split_text(frame) if isinstance(frame, str) else _split_binary(frame)
        if "path" not in headers:
            raise MalformedMessage("a message needs a Path")
        return cls(headers["path"].lower(), headers.get("x-requestid", ""), body)

    def json(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            MalformedMessage: the body is not a JSON object.
        """
        try:
            document = json.loads(self.body)
        except ValueError as error:
            raise MalformedMessage(f"{self.path} holds no JSON") from error
        if not isinstance(document, dict):
            raise MalformedMessage(f"{self.path} holds no object")
        return document


def document_frame(path: str, request_id: str, document: Mapping[str, Any] | str) -> str:
    """A text frame to a client; a string is sent unchanged."""
    body = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    return f"X-RequestId:{request_id}\r\nContent-Type:application/json; charset=utf-8\r\nPath:{path}\r\n\r\n{body}"


def audio_frame(request_id: str, pcm: bytes) -> bytes:
    """A binary frame of speech to a client."""
    head = f"X-RequestId:{request_id}\r\nPath:audio\r\n".encode()
    return len(head).to_bytes(LENGTH_BYTES, "big") + head + pcm


def _split_text(frame: str) -> tuple[dict[str, str], bytes]:
    head, separator, body = frame.partition("\r\n\r\n")
    if not separator:
        raise MalformedMessage("a text message needs a blank line after its headers")
    return _headers(head), body.encode()


def _split_binary(frame: bytes) -> tuple[dict[str, str], bytes]:
    end = LENGTH_BYTES + int.from_bytes(frame[:LENGTH_BYTES], "big")
    if len(frame) < end:
        raise MalformedMessage("a binary message ends within its headers")
    return _headers(frame[LENGTH_BYTES:end].decode("utf-8", "replace")), frame[end:]


def _headers(lines: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines.split("\r\n") if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
