"""Input of callers is read with work and memory that grow with its size, or it is refused."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request

from tests.growth.factor import MOST_GROWTH, growth
from voice_core import telemetry
from voice_core.functions.clip.schemas import ClipRequest
from voice_core.functions.http.body import query_options, read_json
from voice_core.functions.http.encoding import check_encoding
from voice_core.functions.http.form import read_form
from voice_core.functions.http.idempotency import idempotency_key
from voice_core.functions.http.media_type import media_type
from voice_core.functions.http.negotiation import negotiate
from voice_core.functions.http.request import HttpRequest
from voice_core.functions.http.request_model import parsed
from voice_core.functions.service.schemas import HealthQuery
from voice_core.functions.session.whip import check_fragment
from voice_core.functions.turn.schemas import ProcessRequest
from voice_core.functions.turn.speech_file import byte_range

SIZE = 2_000
"""Items or characters of the smaller input. A front end lets 32 kB of headers pass, and 8 kB of a URL."""

Work = Callable[[int], Callable[[], object]]


def request(query: str = "", **headers: str) -> HttpRequest:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": raw, "query_string": query.encode()}
    return HttpRequest(Request(scope))


def with_header(name: str, read: Callable[[HttpRequest], object], unit: str, before: str = "") -> Work:
    """*read* a request whose header *name* repeats *unit*."""
    return lambda size: lambda: read(request(**{name: before + unit * size}))


def with_query(read: Callable[[HttpRequest], object], unit: str) -> Work:
    return lambda size: lambda: read(request(unit * size))


def with_text(read: Callable[[str], object], unit: str, before: str = "") -> Work:
    return lambda size: lambda: read(before + unit * size)


def offers(accept: str) -> str:
    return negotiate(accept, ("application/json", "audio/wav", "text/event-stream"))


def health(incoming: HttpRequest) -> HealthQuery:
    return parsed(HealthQuery, dict(incoming.query))


def json(text: str) -> Any:
    reading = read_json(text.encode())
    try:
        reading.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("a small body is parsed at once")


def form(body: str) -> object:
    return read_form(body.encode() + b"\r\n--x--\r\n", b"x", 128_000)


def members(unit: str) -> Work:
    return with_text(lambda text: parsed(ProcessRequest, json(f'{{"a": 0{text}}}')), unit)


HEADERS: dict[str, Work] = {
    "ranges in Accept": with_text(offers, ",a/b;q=0.1", "*/*"),
    "commas in Accept": with_text(offers, ","),
    "parameters in Accept": with_text(offers, ";a=b", "a/b"),
    "a long weight in Accept": with_text(offers, "1", "a/b;q=0."),
    "parameters in Content-Type": with_text(media_type, ";a=b", "audio/pcm"),
    "a long parameter in Content-Type": with_text(media_type, '\\"', 'audio/pcm;rate="'),
    "codings": with_header("content_encoding", check_encoding, "identity, "),
    "commas in Content-Encoding": with_header("content_encoding", check_encoding, ","),
    "entity tags": with_header("if_none_match", lambda one: one.has('"x"'), '"a", '),
    "a long entity tag": with_header("if_none_match", lambda one: one.has('"x"'), "W/"),
    "an If-Match": with_text(lambda text: check_fragment("a=x", "ice", text, '"x"'), '"a", '),
    "ranges of bytes": with_text(lambda text: byte_range(text, 1000), "0-1,", "bytes="),
    "digits of a range": with_text(lambda text: byte_range(text, 1000), "1", "bytes="),
    "spaces in a range": with_text(lambda text: byte_range(text, 1000), " ", "bytes=1-"),
    "an idempotency key": with_header("idempotency_key", idempotency_key, "k"),
    "digits of a Content-Length": with_header("content_length", lambda one: one.content_length, "1"),
    "a traceparent": with_text(telemetry.begin_request, "00-"),
}

URLS: dict[str, Work] = {
    "parameters of /health": with_query(health, "a=b&"),
    "one parameter of /health, repeated": with_query(health, "deep=1&"),
    "spellings of one parameter of /health": with_query(health, "DEEP=1&deep=1&"),
    "ampersands": with_query(query_options, "&"),
    "phrases": with_query(query_options, "phrases=a&"),
    "phrases with commas": with_query(query_options, "phrases=a,b,c,d&"),
    "escapes": with_query(query_options, "%20"),
}

BODIES: dict[str, Work] = {
    "members": members(', "a": 0'),
    "members of different names": lambda size: members(", " + ", ".join(f'"{n}": 0' for n in range(size)))(1),
    "commas": with_text(json, ",", '{"a": ['),
    "brackets": with_text(json, "["),
    "braces": with_text(json, '{"a":'),
    "digits": with_text(json, "1", '{"a": '),
    "digits of an exponent": with_text(json, "1", '{"a": 1e'),
    "escapes": with_text(json, "\\u00e9", '{"text": "'),
    "surrogates": lambda size: lambda: parsed(ProcessRequest, {"text": "é" * size + "\ud800"}),
    "phrases": lambda size: lambda: parsed(ProcessRequest, {"text": "a", "phrases": ["a"] * size}),
    "phrases that are numbers": lambda size: lambda: parsed(ProcessRequest, {"phrases": [1] * size}),
    "languages": lambda size: lambda: parsed(ClipRequest, {"languages": ["en"] * size}),
    "subtags": lambda size: lambda: parsed(ClipRequest, {"language": "en" + "-u-ab" * size}),
    "fields of a form": with_text(form, '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'),
    "boundaries of a form": with_text(form, "--x\r\n"),
    "boundaries with padding": with_text(form, "--x   \t"),
    "lines like a boundary": with_text(form, "\r\n--xy", "--x"),
    "padding after a boundary": with_text(form, " ", "--x"),
    "hyphens": with_text(form, "\r\n-"),
    "headers of a part": with_text(form, "a: b\r\n", "--x\r\n"),
    "a part's name": with_text(form, '\\"', '--x\r\nContent-Disposition: form-data; name="'),
}


@pytest.mark.parametrize("work", (HEADERS | BODIES).values(), ids=HEADERS | BODIES)
async def test_work_grows_with_the_size_of_the_input(work: Work) -> None:
    """Four times the input takes at most five times the calls and the memory."""
    calls, memory = growth(work, SIZE)

    assert calls <= MOST_GROWTH
    assert memory <= MOST_GROWTH


@pytest.mark.parametrize("work", URLS.values(), ids=URLS)
async def test_parameters_of_a_url_are_bounded(work: Work) -> None:
    """Beyond the most that any client needs, their number costs nothing: they are refused before they are parsed."""
    calls, memory = growth(work, SIZE)

    assert calls <= MOST_GROWTH
    assert memory <= MOST_GROWTH


async def test_parsing_in_another_thread_does_not_let_more_pass() -> None:
    """A large body has the bounds of a small one: it is parsed elsewhere, but holds the interpreter's lock."""
    body = b'{"audioData": "' + b"A" * 200_000 + b'", "a": [' + b"0," * 20_000 + b"0]}"
    with pytest.raises(Exception, match="Only a recording"):
        await read_json(body)
    await asyncio.sleep(0)
