"""Compressed requests are refused for what they are, on every path that reads a body."""

import gzip

import pytest

from tests.conftest import Product
from tests.functions.turns import recording

BODIES = {
    "/process": ("POST", "application/json", b'{"text": "hi", "speech": "none"}'),
    "/transcribe": ("POST", "audio/wav", recording()),
    "/speak": ("POST", "application/json", b'{"text": "hi"}'),
    "/clips": ("POST", "application/json", b"{}"),
    "/session": ("POST", "application/sdp", b"v=0\r\n"),
    "/session/0123456789abcdef": ("PATCH", "application/trickle-ice-sdpfrag", b"a=ice-ufrag:x\r\n"),
}


@pytest.mark.parametrize(
    "encoding",
    ["gzip", "deflate", "zstd", "br", "GZIP", "x-gzip", "identity, gzip", "gzip, gzip", "rot13", "gzip" * 99],
)
@pytest.mark.parametrize("path", BODIES)
async def test_a_compressed_body_is_415_with_the_reason(product: Product, path: str, encoding: str) -> None:
    """``Accept-Encoding`` says that the encoding is the reason, not the media type (RFC 9110, 15.5.16)."""
    method, content_type, body = BODIES[path]
    headers = {"Content-Type": content_type, "Content-Encoding": encoding}
    async with product.http.request(
        method, f"{product.url}{path}", data=gzip.compress(body), headers=headers, compress=False
    ) as response:
        problem = await response.json(content_type=None)

    assert (response.status, problem["code"]) == (415, "content-encoding-unsupported")
    assert response.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("encoding", ["identity", "Identity", "identity, identity", " ", ", identity ,"])
async def test_a_body_that_is_said_to_be_as_it_is_is_read(product: Product, encoding: str) -> None:
    """``identity`` and empty elements of the list change nothing."""
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    async with product.post(
        "/process", data=BODIES["/process"][2], headers=headers, skip_auto_headers=["Content-Encoding"]
    ) as response:
        assert response.status == 200


async def test_another_media_type_is_415_without_encodings(product: Product) -> None:
    """Where the media type is the reason, the response does not speak of encodings."""
    async with product.http.patch(f"{product.url}/session/0123456789abcdef", data=b"x") as response:
        assert response.status == 415
        assert "Accept-Encoding" not in response.headers


async def test_a_request_without_a_body_may_have_the_header(product: Product) -> None:
    """Where no body is read, its encoding does not matter."""
    async with product.get("/voices", headers={"Content-Encoding": "gzip"}) as response:
        assert response.status == 200
