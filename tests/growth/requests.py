"""Requests of each route, each with something of which there may be many."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

from fakes.webrtc import Caller
from tests.conftest import Product
from tests.functions.turns import recording
from tests.growth.kind import RequestKind
from tests.growth.work import Work

SENTENCE = "This is a sentence that is spoken. "
BOUNDARY = "boundary"
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
OPENING = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
FRAGMENT = "application/trickle-ice-sdpfrag"


def posted(path: str, make: Callable[[int], Mapping[str, Any]], size: int, status: int = 200) -> RequestKind:
    """A request to *path* with the arguments that *make* returns for a size; it is answered with *status*."""

    async def prepare(product: Product, count: int) -> Work:
        arguments = make(count)

        async def send() -> None:
            async with product.post(f"/{path}", **arguments) as response:
                body = await response.read()
                assert response.status == status, body[:500]

        return send

    return RequestKind(f"POST voice/{path}", size, prepare)


def text_turn(**members: Any) -> Mapping[str, Any]:
    return {"json": {"text": "Hello.", "speech": "none", **members}}


def nested(depth: int) -> Any:
    return json.loads("[" * depth + "]" * depth)


def form(*parts: bytes) -> Mapping[str, Any]:
    body = b"".join(b"--boundary\r\n" + part + b"\r\n" for part in parts)
    return {"data": body + b"--boundary--\r\n", "headers": MULTIPART}


def field(name: str, value: bytes = b"x", *headers: bytes) -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"'.encode()
    return b"\r\n".join((head, *headers, b"", value))


TEXT_FIELDS = (field("text", b"Hello."), field("speech", b"none"))


def file_part(seconds: float) -> bytes:
    return b'Content-Disposition: form-data; name="a"; filename="a.wav"\r\n\r\n' + recording(seconds)


def encoded_words(count: int) -> Mapping[str, Any]:
    return {"json": {"audioData": b64encode(recording(count / 10)).decode()}}


def whip(sdp: str) -> Mapping[str, Any]:
    return {"data": sdp, "headers": {"Content-Type": "application/sdp"}}


async def patched_session(product: Product, count: int) -> Work:
    """Candidates that are added to a new session."""
    caller = Caller()
    try:
        offer = await caller.offer()
    finally:
        await caller.close()
    async with product.post("/session", json={"offer": {"type": "offer", "sdp": offer}}) as response:
        assert response.status == 201, await response.text()
        session = (await response.json())["sessionId"]
    lines = [f"a=candidate:{port} 1 udp 2130706431 127.0.0.1 {port} typ host" for port in range(10_000, 10_000 + count)]
    fragment = "\r\n".join(["a=mid:0", *lines, ""])

    async def send() -> None:
        headers = {"Content-Type": FRAGMENT, "If-Match": "*"}
        async with product.http.patch(f"{product.url}/session/{session}", data=fragment, headers=headers) as response:
            assert response.status == 204, await response.text()

    return send


REQUESTS: Mapping[str, RequestKind] = {
    "members": posted("process", lambda n: text_turn(**dict.fromkeys(map(str, range(n)), 1)), 1_000),
    "nesting": posted("process", lambda n: text_turn(x=nested(n)), 200),
    "text": posted("process", lambda n: text_turn(text="word " * n), 150),
    "phrases of a turn": posted("process", lambda n: text_turn(phrases=["word"] * n), 100),
    "form fields": posted("process", lambda n: form(*TEXT_FIELDS, *(field(str(each)) for each in range(n))), 20),
    "header lines of a form": posted(
        "process", lambda n: form(*TEXT_FIELDS, field("a", b"x", *(b"X-%d: y" % each for each in range(n)))), 100
    ),
    "query parameters": posted(
        "process", lambda n: {**text_turn(), "params": [(f"a{each}", "b") for each in range(n)]}, 140
    ),
    "headers": posted("process", lambda n: {**text_turn(), "headers": {f"X-{each}": "y" for each in range(n)}}, 15),
    "accepted types": posted(
        "process", lambda n: {**text_turn(), "headers": {"Accept": ",".join(["a/b"] * n + ["*/*"])}}, 20
    ),
    "base64": posted("process", encoded_words, 10),
    "recording": posted("transcribe", lambda n: {"data": recording(n / 10)}, 20),
    "recording in a form": posted("transcribe", lambda n: form(file_part(n / 10)), 20),
    "phrases to transcribe": posted(
        "transcribe", lambda n: {"json": {**encoded_words(10)["json"], "phrases": ["word"] * n}}, 100
    ),
    "sentences": posted("speak", lambda n: {"json": {"text": SENTENCE * n}}, 5),
    "backslashes": posted("speak", lambda n: {"json": {"text": "a" + "\\" * n}}, 500),
    "preparation of a session": posted("session", lambda n: {"json": {"phrases": ["word"] * n}}, 100),
    "offer without media": posted("session", lambda n: whip(OPENING + "a=x:y\r\n" * n), 500, status=400),
    "candidates": RequestKind("PATCH voice/session/{sessionId}", 4, patched_session),
}
"""By name. A kind is one line."""

STORED: Mapping[str, RequestKind] = {
    "phrases of a clip": posted("clips", lambda n: {"json": {"phrases": ["word"] * n}}, 100, status=202),
    "members of a clip": posted("clips", lambda n: {"json": dict.fromkeys(map(str, range(n)), 1)}, 1_000, status=202),
}
"""Requests that need storage."""
