"""Uploads over HTTP: recordings under any name and in any encoding reach recognition completely."""

import base64
import textwrap
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import aiohttp
import numpy as np
import pytest

from tests.audio.films import SoundTrack, film
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


PARTS = np.array_split(speech(24_000), 3)
AS_SENT: Mapping[str, tuple[str, bytes]] = {
    "slices": ("wav", b"".join(wav(pcm16(part), RawPcm(24_000)) for part in PARTS)),
    "slices of which the first has a header": (
        "wav",
        wav(pcm16(PARTS[0]), RawPcm(24_000)) + pcm16(np.concatenate(PARTS[1:])),
    ),
    "slices in AAC": ("m4a", encoded("ipod", "aac", 24_000, seconds=0.4) * 3),
    "speech in one channel of six": (
        "flac",
        encoded("flac", "flac", 24_000, 6, sound=np.stack([np.zeros(28_800)] * 5 + [speech(24_000) * 0.06], axis=1)),
    ),
    "a silent track before the microphone's": (
        "mov",
        film("mov", SoundTrack("pcm_s16le", 24_000, np.zeros(28_800)), SoundTrack("aac", 24_000, speech(24_000))),
    ),
    "a stream that was cut": ("aac", encoded("adts", "aac", 24_000)[77:]),
}


@pytest.mark.parametrize("name", AS_SENT)
async def test_recordings_are_heard_as_clients_send_them(product: Product, name: str) -> None:
    """As a body, in a form without a file name, and as a data URL with an unquoted list of codecs."""
    kind, data = AS_SENT[name]
    await _heard(product, kind, data=data)
    form = b'--x\r\nContent-Disposition: form-data; name="audio"\r\nContent-Type: audio/wav\r\n\r\n' + data
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    await _heard(product, kind, data=form + b"\r\n--x--\r\n", headers=headers)
    url = f"data:video/webm;codecs=vp8,opus;base64,{WRAPPINGS['plain'](data)}"
    await _heard(product, kind, json={"audioData": url})


async def test_an_endless_upload_is_refused_where_the_limit_is(product: Product) -> None:
    """A body without length is read up to the limit, and an incomplete container is not sent to recognition."""
    async with product.post("/process", data=_endless(RECORDINGS["m4a"])) as response:
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
