"""Uploads over HTTP: recordings under any name and in any encoding reach recognition completely."""

import base64
import textwrap
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import aiohttp
import pytest

from tests.audio.sounds import chunk, encoded, pcm16, samples, speech, wav
from tests.conftest import Product
from voice_core.audio.pcm_layout import RawPcm

SECONDS = 1.2
MARGIN = 0.1
"""Seconds that codecs without a length may add, or that the plan's cut may take."""

IPHONE = wav(
    pcm16(speech(24_000)), RawPcm(24_000), before=chunk(b"JUNK", bytes(28)), between=chunk(b"FLLR", bytes(4008))
)
RECORDINGS: Mapping[str, bytes] = {
    "wav": IPHONE,
    "m4a": encoded("ipod", "aac", 44_100),
    "3gp": encoded("3gp", "aac", 16_000),
    "webm": encoded("webm", "libopus", 48_000, options={"live": "1"}),
    "mp3": encoded("mp3", "libmp3lame", 24_000),
    "caf": encoded("caf", "pcm_s16le", 48_000),
}
CONTENT_TYPES = ("audio/wav", "audio/mp4", "text/plain", "application/json", "audio/pcm;rate=16000", "no type at all")
WRAPPINGS: Mapping[str, Callable[[bytes], str]] = {
    "plain": lambda data: base64.b64encode(data).decode(),
    "URL-safe": lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="),
    "wrapped": lambda data: textwrap.fill(base64.b64encode(data).decode(), 76).replace("\n", "\r\n"),
    "data URI": lambda data: f"data:audio/webm;codecs=opus;base64,{base64.b64encode(data).decode()}",
}


@pytest.mark.parametrize("name", RECORDINGS)
async def test_the_body_is_what_its_bytes_are(product: Product, name: str) -> None:
    """All of a body is recognised, whatever its content type and number of pieces."""
    for content_type in CONTENT_TYPES:
        await _heard(product, name, data=RECORDINGS[name], headers={"Content-Type": content_type})
    await _heard(product, name, data=_pieces(RECORDINGS[name]))


@pytest.mark.parametrize("name", RECORDINGS)
async def test_a_form_may_call_its_file_anything(product: Product, name: str) -> None:
    """The name and content type of a form's file do not matter."""
    for filename, content_type in (
        ("clip.wav", "audio/wav"),
        ("ünï.txt", "text/plain"),
        ("blob", "audio/L16;rate=8000"),
    ):
        form = aiohttp.FormData()
        form.add_field("recording", RECORDINGS[name], filename=filename, content_type=content_type)
        await _heard(product, name, data=form)


@pytest.mark.parametrize("name", RECORDINGS)
async def test_base64_may_be_wrapped_in_any_way(product: Product, name: str) -> None:
    """The plan's JSON, with ``audioData`` in each form of base64 and under a wrong ``format``."""
    for wrapped in WRAPPINGS.values():
        await _heard(product, name, json={"audioData": wrapped(RECORDINGS[name]), "format": "Pcm16"})


@pytest.mark.parametrize("name", ["wav", "m4a", "3gp"])
async def test_the_plan_may_cut_what_it_sends(product: Product, name: str) -> None:
    """``substring(59)`` of a recording by an iPhone or an Android phone is restored."""
    await _heard(product, None, json={"audioData": WRAPPINGS["plain"](RECORDINGS[name])[59:], "format": "Wav"})


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
async def test_headerless_pcm_may_be_declared_anywhere(product: Product, rate: int) -> None:
    """PCM can be declared in JSON, in the URL, by the content type of body or form file, and partly by each."""
    little, big = (samples(speech(rate), f"s16{order}") for order in ("le", "be"))
    octets = {"Content-Type": "application/octet-stream"}
    declared = {"format": "Pcm16", "sampleRate": str(rate)}
    await _heard(product, "pcm", json={"audioData": WRAPPINGS["plain"](little), "format": "pcm_16", "sampleRate": rate})
    await _heard(product, "pcm", data=little, headers=octets, params=declared)
    await _heard(product, "pcm", data=little, headers={"Content-Type": f"audio/pcm; rate={rate}; channels=1"})
    await _heard(product, "pcm", data=little, headers={"Content-Type": "audio/pcm"}, params={"sampleRate": str(rate)})
    await _heard(product, "pcm", data=big, headers={"Content-Type": f"audio/L16;rate={rate}"})
    form = aiohttp.FormData()
    form.add_field("recording", little, filename="clip.pcm", content_type=f"audio/pcm;rate={rate}")
    await _heard(product, "pcm", data=form)


async def test_an_endless_upload_is_refused_where_the_limit_is(product: Product) -> None:
    """A body without length is read up to the limit, and an incomplete container is not sent to recognition."""
    async with product.post("/process", data=_endless(RECORDINGS["mp3"])) as response:
        problem = await response.json(content_type=None)
    assert (response.status, problem["code"]) == (413, "audio-too-large")
    assert "/clips" in problem["detail"]
    assert not product.services.paid()


async def _heard(product: Product, name: str | None, **request: Any) -> None:
    """Send a recording: it is recognised as *name*, and all of it reaches the service."""
    async with product.post("/transcribe", **request) as response:
        answer = await response.json(content_type=None)
    assert response.status == 200, answer
    assert name in (None, answer["format"])
    facts = [served.facts for served in product.services.speech.served if served.operation == "stt"]
    assert facts[-1]["audio_seconds"] == pytest.approx(SECONDS, abs=MARGIN)


async def _pieces(data: bytes) -> AsyncGenerator[bytes]:
    for start in range(0, len(data), 997):
        yield data[start : start + 997]


async def _endless(beginning: bytes) -> AsyncGenerator[bytes]:
    yield beginning
    while True:
        yield bytes(100_000)
