"""Frames between the emulator and an engine's process.

A request is its kind (one byte), the length of its body and the body; a response is the length and the body. Before the
first request, the process sends a JSON object: its engine's name as ``name``, or why it cannot serve as ``missing``.
"""

LENGTH_BYTES = 4
"""Size of a body's length, big-endian."""
HEAD_BYTES = 1 + LENGTH_BYTES


def request_frame(kind: bytes, body: bytes) -> bytes:
    return kind + response_frame(body)


def response_frame(body: bytes) -> bytes:
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def length(head: bytes) -> int:
    """The length of the body that follows the head of a request or a response."""
    return int.from_bytes(head[-LENGTH_BYTES:], "big")
