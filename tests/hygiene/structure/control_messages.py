"""Messages of a session's data channel."""

import json
from typing import Any

from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.json_documents import option, value

TYPES = ("input_audio_buffer.clear", "input_audio_buffer.commit", "response.cancel", "input_text", "session.update")
MEMBERS = ("text", "trailingMs", "voice", "language", "phrases", "handsFree", "trailing_ms")


def control_message(draw: Draw) -> str | bytes:
    """A message of one of the types, with some members; text or binary, sometimes cut or very long."""
    made: dict[str, Any] = {name: option(draw, name) for name in draw.some(MEMBERS, 0.3)}
    if draw.likely(0.4):
        made["trailingMs"] = draw.choice((0, 300, 301, -1, 1.5, "200", None, draw.number(70)))
    made["type"] = draw.choice(TYPES) if draw.likely(0.9) else value(draw, 1)
    text = json.dumps(made, ensure_ascii=draw.likely(0.5))
    if draw.likely(0.2 * draw.wrongness):
        text = draw.choice(
            (
                text[: draw.randrange(len(text))],
                f"[{text}]",
                "[" * 60_000,
                '{"type":' * 5_000,
                " " * 70_000,
                "1" * 5_000,
                "NaN",
            )
        )
    return text.encode("utf-8", "surrogatepass") + draw.choice((b"", b"\xff")) if draw.likely(0.1) else text
