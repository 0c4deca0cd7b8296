"""Recordings as text: base64 and data URLs (RFC 4648, RFC 2397)."""

from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

from tests.hygiene.structure.draw import Draw

MEDIA_TYPES = (
    "audio/webm",
    "audio/webm;codecs=opus",
    'video/webm;codecs="vp8,opus"',
    "video/mp4;codecs=avc1.42E01E,mp4a.40.2",
    "",
)


def encoded_recording(draw: Draw, data: bytes) -> str:
    """*data* in base64 of one of its forms, whole or cut, behind the head of a data URL or not."""
    text = draw.choice((b64encode, b64encode, urlsafe_b64encode))(data).decode()
    if draw.likely(0.2):
        text = text.rstrip("=")
    if draw.likely(0.15):
        text = text[59:]
    if draw.likely(0.2):
        width, end = draw.choice((1, 64, 76)), draw.choice(("\r\n", "\n", " ", "\t"))
        text = end.join(text[start : start + width] for start in range(0, len(text), width))
    if draw.likely(0.3 * draw.wrongness):
        at = draw.randrange(len(text) or 1)
        text = draw.choice((text[:at], text[:at] + draw.choice(("é", "=", "%", ",", "\0")) + text[at:], quote(text)))
    head = draw.choice(
        ("", "", f"data:{draw.choice(MEDIA_TYPES)};base64,", f"DATA:{draw.text(30)};Base64,", "data:audio/wav,")
    )
    return head + text
