"""Header fields with arbitrary content, which no HTTP library would send."""

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
"""Any content of a field but NUL, LF and CR, which would end it."""

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
ENDPOINTS = (("POST", "/process"), ("POST", "/session"), ("GET", "/conversations/a/turns/b/speech"), ("GET", "/voices"))


async def response_to(product: Product, head: bytes, body: bytes = b'{"text": "hi"}') -> bytes:
    """The raw response to a request with these bytes as its head."""
    address = urlsplit(product.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(b"%s\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (head, len(body), body))
        await writer.drain()
        return await reader.read()
    finally:
        writer.close()


def status(response: bytes) -> int:
    return int(response.split(b" ", 2)[1])


@given(endpoint=st.sampled_from(ENDPOINTS), field=st.sampled_from(FIELDS), value=VALUES | LIKELY)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_field_is_accepted_or_refused(
    product: Product, endpoint: tuple[str, str], field: str, value: bytes
) -> None:
    """No content of a field causes an internal error."""
    line = f"{endpoint[0]} /api/voice{endpoint[1]} HTTP/1.1\r\nContent-Type: application/json".encode()
    response = await response_to(product, b"%s\r\n%s: %s" % (line, field.encode(), value))

    assert 200 <= status(response) < 500 or status(response) == 503, response[:300]


@pytest.mark.parametrize("field", ["Idempotency-Key", "Traceparent", "X-Request-Id", "Origin"])
async def test_no_response_header_is_forged(product: Product, field: str) -> None:
    """A line break in a field, in any encoding, adds no header to the response."""
    line = b"POST /api/voice/process HTTP/1.1\r\nContent-Type: application/json"
    for ending in (b"\r\n", b"\n", b"\r", b"%0d%0a", b"\xe5\x98\x8d\xe5\x98\x8a", b"\xc2\x85"):
        response = await response_to(product, b"%s\r\n%s: a%sX-Forged: yes" % (line, field.encode(), ending))
        assert b"forged" not in response.partition(b"\r\n\r\n")[0].lower()
        assert status(response) in (200, 400)
