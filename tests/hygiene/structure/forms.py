"""multipart/form-data bodies (RFC 7578, RFC 2046)."""

from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.json_documents import option
from tests.hygiene.structure.request_headers import parameters

NAMES = (
    "text",
    "language",
    "languages",
    "phrases",
    "voice",
    "responseFormat",
    "conversationId",
    "audioData",
    "format",
    "a",
)
BOUNDARIES = ("boundary", "----WebKitFormBoundaryAbC123", "'()+_,-./:=?", "b" * 70, "b" * 200, "a b", "-", "--")


def form(draw: Draw, sound: bytes) -> tuple[str, bytes]:
    """The content type and the body of a form with fields and files, of which one is often *sound*."""
    boundary = draw.choice(BOUNDARIES)
    parts = [_part(draw, sound) for _ in range(draw.usually(draw.choice((0, 1, 2, 3, 5)), 100, 101, draw.count(500)))]
    line = b"\r\n" if draw.likely(0.97) else b"\n"
    delimiter = b"--" + boundary.encode()
    body = draw.choice((b"", b"", b"", b"preamble" + line, line))
    for part in parts:
        body += (
            delimiter
            + draw.choice((b"",) * 8 + (b" \t", b" " * draw.count(3_000)))
            + line
            + part.replace(b"\r\n", line)
            + line
        )
    body += (
        delimiter + draw.choice((b"--", b"--", b"--", b"--", b"", b"-")) + draw.choice((line, line, b"", draw.junk()))
    )
    stated = boundary if draw.likely(1 - 0.1 * draw.wrongness) else draw.text(20)
    quoted = f'"{stated}"' if draw.likely(0.7) else stated
    charset = draw.usually("", "; charset=utf-8", "; charset=punycode", "; charset=" + draw.text(9))
    return f"multipart/form-data{charset}; boundary={quoted}{parameters(draw) if draw.likely(0.05) else ''}", body


def _part(draw: Draw, sound: bytes) -> bytes:
    is_file = draw.likely(0.35)
    name = draw.choice(("audio", "file", draw.text(10))) if is_file else draw.choice(NAMES)
    disposition = f'form-data; name="{name}"'
    if is_file and draw.likely(0.8):
        disposition += draw.choice(('; filename="a.wav"', "; filename=a", "; filename*=utf-8''%61", '; filename=""'))
    if draw.likely(0.05):
        disposition += parameters(draw)
    headers = [f"Content-Disposition: {disposition}"]
    if is_file or draw.likely(0.1):
        headers.append(
            f"Content-Type: {draw.choice(('audio/webm', 'audio/l16; rate=16000', 'text/plain', draw.text(20)))}"
        )
    headers += [f"{draw.name().decode()}: {draw.text(20)}" for _ in range(draw.count(300) if draw.likely(0.05) else 0)]
    headers += draw.some(["Content-Transfer-Encoding: base64", "Content-Length: 3", ": x", "no colon"], 0.05)
    head = "\r\n".join(headers).encode("utf-8", "replace")
    data = (
        draw.choice((sound, sound, draw.junk(200))) if is_file else str(option(draw, name)).encode("utf-8", "replace")
    )
    return head + b"\r\n\r\n" + data
