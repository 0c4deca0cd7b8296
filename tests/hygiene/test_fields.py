"""Header fields of any content, as no HTTP library would send them."""

import asyncio
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Product

FIELDS = (
    *("Accept", "Accept-Encoding", "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"),
    *("If-Range", "Origin", "Range", "Traceparent", "X-MS-CLIENT-PRINCIPAL"),
)
VALUES = st.binary(max_size=300).filter(lambda value: not {0, 10, 13} & {*value})
"""All that a field can hold: what ends it cannot be in it."""

LIKELY = st.sampled_from(
    [
        b"bytes=-",
        b"bytes=9-1",
        b"*/*;q=x",
        b"audio/pcm;rate=-1",
        b"multipart/form-data",
        b"multipart/form-data;boundary",
    ]
)
ASKED = (("POST", "/process"), ("POST", "/session"), ("GET", "/conversations/a/turns/b/speech"), ("GET", "/voices"))


async def answered(product: Product, head: bytes, body: bytes = b'{"text": "hi"}') -> bytes:
    """What comes back for a request of these bytes."""
    address = urlsplit(product.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(b"%s\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (head, len(body), body))
        await writer.drain()
        return await reader.read()
    finally:
        writer.close()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@given(asked=st.sampled_from(ASKED), field=st.sampled_from(FIELDS), value=VALUES | LIKELY)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_field_is_read_or_refused(product: Product, asked: tuple[str, str], field: str, value: bytes) -> None:
    """Whatever stands in a field, the answer is no error of ours."""
    line = f"{asked[0]} /api/voice{asked[1]} HTTP/1.1\r\nContent-Type: application/json".encode()
    answer = await answered(product, b"%s\r\n%s: %s" % (line, field.encode(), value))

    assert 200 <= status(answer) < 500 or status(answer) == 503, answer[:300]


@pytest.mark.parametrize("field", ["Idempotency-Key", "Traceparent", "X-Request-Id", "Origin"])
async def test_no_field_is_forged(product: Product, field: str) -> None:
    """A line break in a field, in any disguise, puts no field into the answer."""
    line = b"POST /api/voice/process HTTP/1.1\r\nContent-Type: application/json"
    for ending in (b"\r\n", b"\n", b"\r", b"%0d%0a", b"\xe5\x98\x8d\xe5\x98\x8a", b"\xc2\x85"):
        answer = await answered(product, b"%s\r\n%s: a%sX-Forged: yes" % (line, field.encode(), ending))
        assert b"forged" not in answer.partition(b"\r\n\r\n")[0].lower()
        assert status(answer) in (200, 400)
