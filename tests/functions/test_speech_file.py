"""/conversations/{id}/turns/{id}/speech: formats, byte ranges and versions, as players need them."""

import asyncio
import io
import json
from typing import Any

import aiohttp
import av
import pytest

from emulators.script import Step
from fakes.eventually import HANG_SECONDS
from tests.conftest import Product
from tests.functions.turns import sse
from voice_core.domain.speech import SpeechName
from voice_core.functions.turn.speech_file import byte_range

SAY = {"text": "Tell me about the weather.", "speech": "url"}


async def taken(product: Product, **members: Any) -> dict[str, Any]:
    async with product.post("/process", json=SAY | members) as response:
        assert response.status == 200, await response.text()
        turn: dict[str, Any] = await response.json()
        return turn


async def fetched(product: Product, url: str, **headers: str) -> aiohttp.ClientResponse:
    path = url.removeprefix("/api/voice")
    response: aiohttp.ClientResponse = await product.get(path, headers=headers)
    await response.read()
    return response


@pytest.mark.parametrize(
    ("audio_format", "media_type", "container"),
    [("wav", "audio/wav", "wav"), ("mp3", "audio/mpeg", "mp3"), ("opus", "audio/ogg", "ogg")],
)
async def test_speech_is_a_file_of_the_requested_format(
    clip_product: Product, audio_format: str, media_type: str, container: str
) -> None:
    """The format is chosen by query or by Accept; the file has its type and length, and the turn's duration."""
    turn = await taken(clip_product)
    assert turn["audioData"] == ""
    by_query = await fetched(clip_product, f"{turn['speechUrl']}?format={audio_format}")
    by_accept = await fetched(clip_product, turn["speechUrl"], Accept=media_type)

    body = await by_query.read()
    assert body == await by_accept.read()
    assert (by_query.status, by_query.content_type, by_query.content_length) == (200, media_type, len(body))
    assert by_query.headers["Accept-Ranges"] == "bytes"
    with av.open(io.BytesIO(body), "r", format=container) as opened:
        seconds = sum(frame.samples / frame.sample_rate for frame in opened.decode(audio=0))
    assert seconds == pytest.approx(turn["durationMs"] / 1000, abs=0.1)


async def test_head_and_if_none_match(clip_product: Product) -> None:
    """HEAD has the complete length, also with a range; If-None-Match with ``*`` or this version is 304."""
    url = (await taken(clip_product))["speechUrl"]
    whole = await fetched(clip_product, url)
    path = f"{clip_product.url}{url.removeprefix('/api/voice')}"
    async with clip_product.http.head(path, headers={"Range": "bytes=0-9"}) as response:
        assert (response.status, response.content_length) == (200, whole.content_length)
    for known in ("*", whole.headers["ETag"], f'"other", W/{whole.headers["ETag"]}'):
        assert (await fetched(clip_product, url, **{"If-None-Match": known})).status == 304
    assert (await fetched(clip_product, url, Range="Bytes=0-9")).status == 206


async def test_a_replaced_speech_file_is_encoded_again(clip_product: Product) -> None:
    """After a turn is taken again, the encoded file of the interrupted reply is not returned for the complete one."""
    speeches = clip_product.app.clip_work.speeches
    name = SpeechName("local", "c", "t")
    for seconds in (1, 2):
        await speeches.begin(name)
        await speeches.append(name, 0, bytes(48_000 * seconds))
        await speeches.finish(name)
        wav = await fetched(clip_product, "/conversations/c/turns/t/speech?format=wav")
        assert wav.content_length == 44 + 48_000 * seconds


async def test_speech_is_fetched_in_ranges(clip_product: Product) -> None:
    """The ranges belong to one file, however often it is encoded for them; a range beyond its end is 416."""
    url = f"{(await taken(clip_product))['speechUrl']}?format=opus"
    whole = await (await fetched(clip_product, url)).read()
    size = len(whole)
    for wanted, start, end in (
        ("0-1", 0, 2),
        ("10-19", 10, 20),
        (f"{size - 5}-", size - 5, size),
        ("-7", size - 7, size),
    ):
        response = await fetched(clip_product, url, Range=f"bytes={wanted}")
        assert response.status == 206
        assert response.headers["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
        assert await response.read() == whole[start:end]

    beyond = await fetched(clip_product, url, Range=f"bytes={size}-")
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")


async def test_ranges_of_two_versions_are_not_mixed(clip_product: Product) -> None:
    """If-Range with an old version returns the complete file; If-None-Match with the current one is 304."""
    url = (await taken(clip_product))["speechUrl"]
    first = await fetched(clip_product, url)
    stale = await fetched(clip_product, url, **{"Range": "bytes=0-1", "If-Range": '"old"'})
    fresh = await fetched(clip_product, url, **{"Range": "bytes=0-1", "If-Range": first.headers["ETag"]})
    known = await fetched(clip_product, url, **{"If-None-Match": first.headers["ETag"]})

    assert (stale.status, fresh.status, known.status) == (200, 206, 304)


async def test_speech_plays_while_it_is_synthesised(clip_product: Product) -> None:
    """The URL is in the first event; fetched at once, it returns audio before the turn has ended."""
    script = clip_product.services.speech
    script.clear()
    script.add("tts", Step(tone=True, real_time_factor=0.5, repeat=True))
    async with clip_product.post("/process", json=SAY, headers={"Accept": "text/event-stream"}) as turn:
        created = json.loads((await _line(turn, "data: ")).removeprefix("data: "))
        assert created["type"] == "turn.created"
        async with clip_product.get(created["speechUrl"].removeprefix("/api/voice")) as speech:
            assert (speech.status, speech.headers["Accept-Ranges"]) == (200, "none")
            beginning = await speech.content.readexactly(4000)
            at_first_sound = [served.outcome for served in script.served if served.operation == "tts"]
            rest = await speech.read()
        events = await turn.text()

    assert "running" in at_first_sound
    assert '"type":"turn.done"' in events
    assert "speech.audio.delta" not in events
    whole = await fetched(clip_product, created["speechUrl"])
    # The header of a stream does not know its length.
    assert (await whole.read())[44:] == (beginning + rest)[44:]


async def _line(response: aiohttp.ClientResponse, beginning: str) -> str:
    async with asyncio.timeout(HANG_SECONDS):
        while not (line := (await response.content.readline()).decode().strip()).startswith(beginning):
            pass
    return line


async def test_the_first_and_last_event_have_the_url(clip_product: Product) -> None:
    """``turn.created`` has it for clients that play at once, ``turn.done`` for those that wait."""
    async with clip_product.post("/process", json=SAY, headers={"Accept": "text/event-stream"}) as response:
        events = await sse(response)

    assert events[0]["speechUrl"] == events[-1]["speechUrl"]
    assert [event["type"] for event in events if "speechUrl" in event] == ["turn.created", "turn.done"]


async def test_speech_that_fails_is_degraded(clip_product: Product) -> None:
    """The reply's text is returned; the URL is 404."""
    script = clip_product.services.speech
    script.clear()
    script.add("tts", Step(status=503, repeat=True))
    turn = await taken(clip_product)

    assert turn["degraded"] == ["speech"]
    assert (await fetched(clip_product, turn["speechUrl"])).status == 404


async def test_unknown_speech_is_not_found(clip_product: Product) -> None:
    """A turn that the user does not have is 404; a format that is not offered is refused."""
    assert (await fetched(clip_product, "/conversations/c/turns/t/speech")).status == 404
    assert (await fetched(clip_product, "/conversations/c/turns/t/speech", Accept="audio/aac")).status == 406
    assert (await fetched(clip_product, "/conversations/c/turns/t/speech?format=aac")).status == 400


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=2-", (2, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-30", (0, 10)),
        ("bytes=5-99", (5, 10)),
        ("bytes=10-", (10, 10)),
        ("bytes=-0", (10, 10)),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("lines=0-1", None),
        (f"bytes=0-{'9' * 5000}", None),
        (f"bytes=-{'9' * 5000}", None),
        ("", None),
    ],
)
def test_ranges(wanted: str, expected: tuple[int, int] | None) -> None:
    """Ranges of a file of ten bytes are as in RFC 9110; a header that is not a single byte range is ignored."""
    assert byte_range(wanted, 10) == expected
