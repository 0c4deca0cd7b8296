"""Parser for the part of SSML that this emulator supports."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from emulators.speech.refusals import RequestRefused
from emulators.speech.voices import VOICES_BY_NAME, Voice

ELEMENTS = frozenset(
    ["speak", "voice", "break", "prosody", "p", "s", "emphasis", "lang", "sub", "say-as", "phoneme", "express-as"]
)
"""Accepted elements; of these only voice, break and sub change the sound."""
BREAK_SECONDS = {"none": 0.0, "x-weak": 0.25, "weak": 0.5, "medium": 0.75, "strong": 1.0, "x-strong": 1.25}
"""Azure's table of strengths."""
LONGEST_BREAK_SECONDS = 20.0
LARGEST_BYTES = 64 << 10
MOST_VOICES = 50
"""Azure's quotas for a turn over WebSocket."""
TIME = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(ms|s)")


class BadSsml(RequestRefused):
    """The SSML document cannot be spoken."""


@dataclass(frozen=True, slots=True)
class Words:
    """Text to speak in one voice."""

    text: str
    voice: Voice


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


Piece = Words | Pause


def pieces(ssml: str) -> tuple[Piece, ...]:
    """The texts and pauses of *ssml*, in order.

    Raises:
        BadSsml: *ssml* is not XML, not SSML or too large, or names a voice that is not in the list.
    """
    if len(ssml.encode()) > LARGEST_BYTES:
        raise BadSsml(f"Websocket message size cannot exceed {LARGEST_BYTES} bytes")
    try:
        root = ET.fromstring(ssml)  # noqa: S314 - the caller is on this machine
    except ET.ParseError as error:
        raise BadSsml(f"SSML is not well-formed: {error}") from error
    if _tag(root) != "speak":
        raise BadSsml("SSML begins with speak")
    if sum(_tag(element) == "voice" for element in root.iter()) > MOST_VOICES:
        raise BadSsml(f"SSML has no more than {MOST_VOICES} voices")
    return tuple(_walk(root, None))


def _walk(element: ET.Element, voice: Voice | None) -> Iterator[Piece]:
    tag = _tag(element)
    if tag not in ELEMENTS:
        raise BadSsml(f"{tag} is not understood")
    if tag == "break":
        yield Pause(_break_seconds(element))
    if tag == "voice":
        voice = _voice(element)
    yield from _words(element.get("alias") if tag == "sub" else element.text, voice)
    for child in element:
        yield from _walk(child, voice)
        yield from _words(child.tail, voice)


def _words(text: str | None, voice: Voice | None) -> Iterator[Words]:
    text = " ".join((text or "").split())
    if not text:
        return
    if voice is None:
        raise BadSsml("text stands outside a voice")
    yield Words(text, voice)


def _voice(element: ET.Element) -> Voice:
    name = element.get("name", "")
    if name not in VOICES_BY_NAME:
        raise BadSsml(f"Unsupported voice {name}")
    return VOICES_BY_NAME[name]


def _break_seconds(element: ET.Element) -> float:
    if "time" not in element.attrib:
        strength = element.get("strength", "medium")
        if strength not in BREAK_SECONDS:
            raise BadSsml(f"a break has no strength {strength}")
        return BREAK_SECONDS[strength]
    match = TIME.fullmatch(element.attrib["time"])
    if match is None:
        raise BadSsml(f"a break has no time {element.attrib['time']}")
    seconds = float(match[1]) / (1000 if match[2] == "ms" else 1)
    return min(seconds, LONGEST_BREAK_SECONDS)


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
