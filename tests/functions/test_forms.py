"""multipart/form-data: the parts that are read, and the syntax that a caller cannot abuse."""

import encodings
import tempfile
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from tests.audio.sounds import encoded
from tests.conftest import HEARD, Product
from tests.functions.bad_input import form
from tests.functions.test_slow_bodies import answer, posted
from tests.functions.turns import base64, recording
from voice_core.functions.http.form import Form, FormFile, read_form
from voice_core.functions.http.request import HttpRequest

UNKNOWN_CHARSET = "x-charset-that-nobody-has"


def typed(content_type: str) -> dict[str, str]:
    return {"Content-Type": content_type}


@pytest.mark.direct
@pytest.mark.parametrize("charset", ["punycode", "utf-16", "idna", "iso-8859-1", UNKNOWN_CHARSET])
async def test_a_form_in_another_charset_is_refused_unread(product: Product, charset: str) -> None:
    """It is 415 before any of the body is sent: a caller cannot choose the decoder."""
    async with posted(product, "/process", f"multipart/form-data; boundary=x; charset={charset}") as (reader, _):
        status, problem = await answer(reader)

    assert (status, problem["code"]) == (415, "content-type-unsupported")
    assert UNKNOWN_CHARSET.replace("-", "_") not in encodings._cache


@pytest.mark.parametrize("field", ["_charset_", "Content-Type"])
async def test_charsets_within_a_form_are_not_looked_up(product: Product, field: str) -> None:
    """Neither a part's charset nor the form's default (RFC 7578, 4.6) is used: text is UTF-8."""
    text = form("text", "é".encode())
    if field == "Content-Type":
        body = text.replace(b"\r\n\r\n", f"\r\nContent-Type: text/plain; charset={UNKNOWN_CHARSET}\r\n\r\n".encode(), 1)
    else:
        body = form(field, UNKNOWN_CHARSET.encode()).removesuffix(b"--x--\r\n") + text
    async with product.post("/process", data=body, headers=typed("multipart/form-data; boundary=x")) as response:
        document = await response.json()

    assert (response.status, document["transcription"]) == (200, "é")
    assert UNKNOWN_CHARSET.replace("-", "_") not in encodings._cache


@pytest.mark.parametrize("charset", ["utf-8", '"UTF-8"', "US-ASCII"])
async def test_a_form_may_say_that_it_is_utf_8(product: Product, charset: str) -> None:
    """Every usual spelling of UTF-8 and US-ASCII is accepted."""
    headers = typed(f"multipart/form-data; charset={charset}; boundary=x")
    async with product.post("/process", data=form("text", "naïve".encode()), headers=headers) as response:
        assert (response.status, (await response.json())["transcription"]) == (200, "naïve")


async def test_base64_in_a_field_is_a_recording(product: Product) -> None:
    """It may be larger than the other fields together."""
    body = form("AudioData", base64(recording(4.0)).encode())
    async with product.post("/process", data=body, headers=typed("multipart/form-data; boundary=x")) as response:
        document = await response.json()

    assert response.status == 200, document
    assert document["transcription"].lower().startswith(HEARD)


async def test_a_form_needs_no_disk(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of megabytes is read although no temporary file can be created."""
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    body = BytesIO(form("audio", b"no sound" * 250_000, "a.wav"))
    async with product.post("/process", data=body, headers=typed("multipart/form-data; boundary=x")) as response:
        assert (response.status, (await response.json())["code"]) == (415, "audio-format-unknown")


@given(
    st.lists(st.text(), max_size=3),
    st.lists(st.sampled_from([b"\r\n", b"--b", b"-", b"\r", b"\n", b" ", b"b", b"\0\xff"]), max_size=20).map(b"".join),
)
def test_the_content_of_a_form_is_read_unchanged(texts: list[str], data: bytes) -> None:
    """Line ends, dashes and bytes that look like a boundary are part of the content."""
    boundary = b"bb-outside"
    sent = [b"--%b\r\nContent-Disposition: form-data; name=a\r\n\r\n%b\r\n" % (boundary, t.encode()) for t in texts]
    file = b'--%b\r\ncontent-disposition:form-data;filename="f;";name=f\r\ncontent-type: audio/wav\r\n\r\n%b\r\n'
    body = b"preamble\r\n" + b"".join(sent) + file % (boundary, data) + b"--%b--\r\nepilogue" % boundary

    assert read_form(body, boundary, 10_000) == Form([("a", text) for text in texts], FormFile(data, "audio/wav"))


def test_a_form_of_the_standard_library_is_read() -> None:
    """A form that another implementation has written is read."""
    message = EmailMessage()
    message["Content-Type"] = "multipart/form-data"
    part = EmailMessage()
    part.set_payload("hello")
    part["Content-Disposition"] = 'form-data; name="text"'
    message.set_payload([part])
    body = message.as_bytes(policy=message.policy.clone(linesep="\r\n"))

    assert read_form(body, str(message.get_boundary()).encode(), 10_000).fields == [("text", "hello")]


@pytest.mark.parametrize(("etags", "found"), [(100, True), (102, False)])
async def test_long_lists_of_versions_are_not_searched(etags: int, found: bool) -> None:
    """A client that sends more than 100 gets the complete document, which is correct for any list."""
    listed = ", ".join(['"a"'] * etags).encode()
    head = {"type": "http", "method": "GET", "path_params": {}, "query_string": b""}
    request = HttpRequest(Request(head | {"headers": [(b"if-none-match", listed)]}))

    assert request.has('"a"') is found


@pytest.mark.parametrize("content_type", ["audio/wav", "Audio/WAV", "video/webm", "application/octet-stream"])
async def test_a_recording_needs_no_file_name(product: Product, content_type: str) -> None:
    """Some clients omit it: the part's content type shows that it is a file."""
    named = form("audio", recording())
    body = named.replace(b"\r\n\r\n", f"\r\nContent-Type: {content_type}\r\n\r\n".encode(), 1)
    async with product.post("/transcribe", data=body, headers=typed("multipart/form-data; boundary=x")) as response:
        assert response.status == 200, await response.text()
        assert (await response.json())["transcription"].lower().startswith(HEARD)


async def test_an_unused_file_input_is_ignored(product: Product) -> None:
    """A browser sends it without a file name and empty, together with the fields that the user filled in."""
    unused = form("audio", b"", "unused").replace(b'"unused"', b'""')
    body = unused.removesuffix(b"--x--\r\n") + form("text", b"Hello there.")
    async with product.post("/process", data=body, headers=typed("multipart/form-data; boundary=x")) as response:
        assert response.status == 200, await response.text()
        assert (await response.json())["transcription"] == "Hello there."


UNNAMED_FILES: Mapping[str, Callable[[], bytes]] = {
    "wav": recording,
    "m4a": lambda: encoded("ipod", "aac", 24_000),
    "ogg": lambda: encoded("ogg", "libopus", 48_000),
    "webm": lambda: encoded("webm", "libopus", 48_000),
}


@pytest.mark.parametrize(
    "disposition",
    [
        b'form-data; name="audio"',
        b"form-data; name=voice",
        b"form-data; filename*=UTF-8''hello%20there.bin; name=\"recording\"",
        b"form-data; name=\"file\"; filename*=iso-8859-1'en'%A3.bin",
    ],
)
@pytest.mark.parametrize("container", UNNAMED_FILES)
def test_a_recording_needs_neither_name_nor_type(container: str, disposition: bytes) -> None:
    """Without a file name, with the extended one alone, and as a text, a file is known by its first bytes."""
    data = UNNAMED_FILES[container]()
    for header, content_type in ((b"", None), (b"\r\nContent-Type: text/plain", "text/plain")):
        body = b"--x\r\nContent-Disposition: " + disposition + header + b"\r\n\r\n" + data + b"\r\n--x--\r\n"
        assert read_form(body, b"x", 10_000) == Form([], FormFile(data, content_type))


@pytest.mark.parametrize("text", ["caffeine", "OggS", ".snd", "RIFF----WAVE", "ID3", "fLaC\u00ff", "#!AMR\n"])
def test_a_text_that_begins_like_a_file_is_a_text(text: str) -> None:
    """Words that are the first bytes of a container too are still words."""
    assert read_form(form("text", text.encode()), b"x", 10_000) == Form([("text", text)])


async def test_a_part_without_a_name_is_recognised_over_http(product: Product) -> None:
    """`curl -F 'audio=<hello.wav'` sends neither a file name nor a content type."""
    headers = typed("multipart/form-data; boundary=x")
    async with product.post("/transcribe", data=form("audio", recording()), headers=headers) as response:
        assert response.status == 200, await response.text()
        assert (await response.json())["transcription"].lower().startswith(HEARD)
