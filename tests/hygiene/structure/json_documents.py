"""JSON bodies of each route (RFC 8259)."""

import json
from base64 import b64encode
from typing import Any

from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.language_tags import language_tag

_RECOGNITION = ("audioData", "format", "sampleRate", "channels", "language", "languages", "phrases")
MEMBERS = {
    "process": (*_RECOGNITION, "text", "conversationId", "voice", "responseFormat", "speech"),
    "transcribe": _RECOGNITION,
    "speak": ("text", "voice", "responseFormat"),
    "clips": (*_RECOGNITION[4:], "contentType", "sizeBytes", "conversationId", "reply", "notes", "blocks"),
    "session": ("query", "conversationId", "offer", "voice", "language", "phrases", "handsFree"),
}
"""Members of the request of each route."""


def document(draw: Draw, members: tuple[str, ...]) -> bytes:
    """An object with some of *members*, and others; sometimes no valid JSON."""
    made = {_in_case(draw, name): option(draw, name) for name in draw.some(members, 0.4)}
    for _ in range(draw.choice((0, 0, 0, 1, draw.count(3_000)))):
        made[draw.text(8)] = value(draw, 1)
    text = json.dumps(made, ensure_ascii=draw.likely(0.5))
    if draw.likely(0.3 * draw.wrongness):
        text = _broken(draw, text)
    encoding = draw.choice(("utf-8",) * 9 + ("utf-16", "utf-8-sig", "utf-32-be", "latin-1"))
    return text.encode(encoding, "replace" if encoding == "latin-1" else "surrogatepass")


def _in_case(draw: Draw, name: str) -> str:
    return draw.choice((name, name, name, name.lower(), name.upper(), name + " "))


def option(draw: Draw, name: str) -> Any:
    """A value of the member *name*: right for it, or any."""
    if draw.likely(0.2 * draw.wrongness):
        return value(draw, 3)
    match name:
        case "language":
            return language_tag(draw)
        case "languages":
            return [language_tag(draw) for _ in range(draw.few(6))]
        case "phrases":
            return [draw.text() for _ in range(draw.usually(draw.choice((0, 1, 5, 500)), 501))]
        case "sampleRate" | "channels" | "sizeBytes":
            return draw.usually({"sampleRate": 16_000, "channels": 1}.get(name, 5_000), draw.number(40))
        case "voice":
            return draw.usually("en-US-AvaMultilingualNeural", draw.text(200))
        case "reply" | "blocks" | "handsFree":
            return draw.choice((True, False, 0, 1, "yes", "off"))
        case "offer":
            return {"type": draw.choice(("offer", "answer")), "sdp": draw.text(200)}
        case "audioData" | "audio":
            return b64encode(draw.junk(500)).decode()
        case "format":
            return draw.choice(("Pcm16", "wav", "PCM-16", draw.text()))
        case "responseFormat" | "speech":
            return draw.choice(("pcm", "wav", "mp3", "opus", "inline", "url", "none"))
        case "contentType":
            return draw.usually("audio/webm", "a" * 200, draw.text())
        case "conversationId":
            return draw.usually("abc", "a" * 64, "a" * 65, "../x", draw.text())
        case _:
            return draw.text(200)


def value(draw: Draw, depth: int) -> Any:
    """Any JSON value, nested up to *depth*, or thousands deep."""
    if depth <= 0:
        return draw.choice((None, True, 0, -1, 1.5, 10**40, draw.number(63), draw.text(10), "\ud800", "\udc00\ud800"))
    if draw.likely(0.02):
        nested: Any = 1
        for _ in range(draw.count(900)):
            nested = [nested] if draw.likely(0.5) else {"a": nested}
        return nested
    size = draw.count(20)
    if draw.likely(0.5):
        return [value(draw, depth - 1) for _ in range(size)]
    return {draw.text(5): value(draw, depth - 1) for _ in range(size)}


def _broken(draw: Draw, text: str) -> str:
    """*text* cut, repeated, or with something that JSON does not allow."""
    at = draw.randrange(len(text))
    return draw.choice(
        (
            text[:at],
            text * 2,
            text[:at]
            + draw.choice(("NaN", "Infinity", "-", "\\u", "\\ud800", "\0", ",", "}", "1" * 5_000))
            + text[at:],
            "[" * draw.choice((10, 2_000, 100_000)),
            '{"a":' * draw.choice((10, 2_000, 100_000)),
            f"[{text}]",
            "",
        )
    )
