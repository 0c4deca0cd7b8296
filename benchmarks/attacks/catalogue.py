"""The attacks, each beside an honest request of the same type and size."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from benchmarks.attacks import files
from benchmarks.phone import recording

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    body: bytes = b""
    content_type: str = ""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attack:
    """*crafted* is sent *at_once* times side by side, and so is *honest*."""

    name: str
    crafted: Request
    honest: Request
    at_once: int = 6


def _recording(file: bytes, content_type: str) -> Request:
    return Request("/transcribe", file, content_type)


def _base64(size: int, end: str) -> Request:
    honest = base64.b64encode(recording(60)[: 44 + size * 3 // 4 // 2 * 2]).decode()
    return Request("/process", json.dumps({"audioData": honest.rstrip("=") + end}).encode(), JSON)


def _form(charset: str) -> Request:
    text = b"a" * 100_000
    body = b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n' + text + b"\r\n--x--\r\n"
    return Request("/process", body, f"multipart/form-data; boundary=x; charset={charset}")


def _members(count: int) -> Request:
    return Request("/process", json.dumps({f"m{number}": 0 for number in range(count)}).encode(), JSON)


def _speak(text: str) -> Request:
    return Request("/speak", json.dumps({"text": text}).encode(), JSON, headers={"Accept": "audio/wav"})


def _accepting(accept: str) -> Request:
    return Request("/process", json.dumps({"text": "hi"}).encode(), JSON, headers={"Accept": accept})


def _health(query: str) -> Request:
    return Request(f"/health?{query}", method="GET")


@cache
def attacks() -> Sequence[Attack]:
    """All of them; what each exploits is in breaks of parsers that were found in this product or in FFmpeg."""
    m4a, flac = files.voice("ipod", "aac", 5), files.voice("flac", "flac", 8)
    long_m4a = files.voice("ipod", "aac", 59, 256_000)
    webm = files.voice("webm", "libopus", 6, 256_000)
    return (
        Attack(
            "MP4: an index of 2 GB in 16 kB",
            _recording(files.mp4_pcm(41, 0x7FFFFFFF // 41), "audio/mp4"),
            _recording(m4a, "audio/mp4"),
        ),
        Attack(
            "MOV: half a million chunks of one sample",
            _recording(files.mp4_pcm(500_000, 1), "audio/mp4"),
            _recording(long_m4a, "audio/mp4"),
        ),
        Attack(
            "FLAC: 40,000 comments",
            _recording(files.flac_comments(40_000), "audio/flac"),
            _recording(flac, "audio/flac"),
        ),
        Attack(
            "Matroska: compressed codec data",
            _recording(files.matroska_private(31, 13.9), "video/x-matroska"),
            _recording(webm, "video/webm"),
        ),
        Attack(
            "MP3: 9.8 MB that is no sound",
            _recording(files.padded_mp3(9_800_000), "audio/mpeg"),
            _recording(recording(60), "audio/wav"),
            10,
        ),
        Attack("a form in punycode", _form("punycode"), _form("utf-8")),
        Attack("base64 with one é, 2.5 MB", _base64(2_500_000, "é"), _base64(2_500_000, "")),
        Attack("JSON of 120,000 members", _members(120_000), _base64(1_600_000, "")),
        Attack("Accept of 4,000 ranges", _accepting("a/b;q=0.1," * 4_000), _accepting("application/json"), 20),
        Attack("backslashes to read aloud", _speak("\\" * 4_000), _speak("It rains. " * 400)),
        Attack("health with 6,000 parameters", _health("&".join(["a=b"] * 6_000)), _health("a=b"), 20),
        Attack("warming 40 times", _health("warm=1"), _health("a=b"), 40),
    )
