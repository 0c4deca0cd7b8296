"""/clips over HTTP, with uploads into Azurite and a host that polls it: a recording from upload to results."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from azure.storage.blob.aio import BlobServiceClient

from emulators.script import Step
from fakes.eventually import HANG_SECONDS, eventually
from fakes.sound import silence
from tests.conftest import HEARD, Account, Product
from tests.functions.turns import recording
from voice_core.audio import wav
from voice_core.domain.clip import ClipName
from voice_core.domain.errors import StageFailed

PARTS = {"transcript": "application/json", "text": "text/plain", "captions": "text/vtt", "reply": "text/plain"}


async def opened(product: Product, **members: Any) -> dict[str, Any]:
    async with product.post("/clips", json=members) as response:
        assert response.status == 202, await response.text()
        document: dict[str, Any] = await response.json()
        assert response.headers["Location"] == f"/api/voice/clips/{document['clipId']}"
        return document


async def upload(product: Product, clip: dict[str, Any], data: bytes, **headers: str) -> int:
    slot = clip["upload"]
    async with product.http.request(slot["method"], slot["url"], data=data, headers=slot["headers"] | headers) as put:
        return put.status


async def followed(product: Product, clip: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of the clip until its final state."""
    async with asyncio.timeout(HANG_SECONDS):
        async with product.get(f"/clips/{clip['clipId']}", headers={"Accept": "text/event-stream"}) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            lines = (await response.text()).splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


async def ended(product: Product, data: bytes, **members: Any) -> dict[str, Any]:
    """The final state of a clip with the recording *data*."""
    clip = await opened(product, **members)
    assert await upload(product, clip, data) == 201
    return (await followed(product, clip))[-1]


async def fetched(product: Product, path: str, **headers: str) -> aiohttp.ClientResponse:
    response: aiohttp.ClientResponse = await product.get(path.removeprefix("/api/voice"), headers=headers)
    return response


async def test_a_clip_has_links_to_its_results(clip_product: Product) -> None:
    """An uploaded recording yields a transcript in three forms, the reply as text and as speech, and a turn."""
    clip = await opened(clip_product, contentType="audio/wav")
    assert clip["upload"]["headers"]["Content-Type"] == "audio/wav"
    assert await upload(clip_product, clip, recording(2.0)) == 201
    events = await followed(clip_product, clip)

    done = events[-1]
    assert [event["type"] for event in events] == ["clip.updated"] * len(events)
    assert (done["status"], done["progress"]) == ("done", {"secondsDone": 2.0, "secondsTotal": 2.0})
    for link, media_type in PARTS.items():
        response = await fetched(clip_product, done["links"][link])
        assert (response.status, response.content_type) == (200, media_type)
        assert HEARD in (await response.text()).lower()
    speech = await fetched(clip_product, done["links"]["speech"])
    assert (speech.status, speech.content_type) == (200, "audio/wav")
    assert len(await speech.read()) == speech.content_length
    async with clip_product.get(f"/conversations/{clip['conversationId']}") as response:
        (turn,) = (await response.json())["turns"]
    assert (turn["turnId"], turn["clipId"], turn["transcription"].lower()) == (clip["clipId"], clip["clipId"], HEARD)


async def test_an_unchanged_clip_is_not_sent_again(clip_product: Product) -> None:
    """A client with the current ETag gets 304 and Retry-After; one with an older ETag gets the new state."""
    clip = await opened(clip_product)
    first = await fetched(clip_product, f"/clips/{clip['clipId']}")
    again = await fetched(clip_product, f"/clips/{clip['clipId']}", **{"If-None-Match": first.headers["ETag"]})
    assert (first.status, again.status, again.headers["Retry-After"]) == (200, 304, "5")

    assert await upload(clip_product, clip, recording(1.0)) == 201
    await followed(clip_product, clip)
    changed = await fetched(clip_product, f"/clips/{clip['clipId']}", **{"If-None-Match": first.headers["ETag"]})
    assert (changed.status, "Retry-After" in changed.headers) == (200, False)


async def test_a_clip_can_have_a_transcript_only(clip_product: Product) -> None:
    """With ``reply: false`` the assistant is not called, nothing is synthesised, and there is no turn."""
    done = await ended(clip_product, recording(1.0), reply=False)

    assert done["status"] == "done"
    assert set(done["links"]) == {"transcript", "text", "captions"}
    assert not clip_product.services.openai.served


async def test_hints_reach_recognition(clip_product: Product) -> None:
    """The recogniser gets the language and the phrases of the request."""
    await ended(clip_product, recording(1.0), language="de-DE", phrases=["Lissabon"])

    (heard,) = [served for served in clip_product.services.speech.served if served.operation == "stt"]
    assert (heard.facts["languages"], heard.facts["phrases"]) == (["de-DE"], ["Lissabon"])


async def test_a_deleted_clip_leaves_nothing(clip_product: Product) -> None:
    """Its parts, its speech and its turn are deleted, and its status is cancelled; deleting it again is no error."""
    done = await ended(clip_product, recording(1.0))
    for _ in range(2):
        async with clip_product.delete(f"/clips/{done['clipId']}") as response:
            assert response.status == 204

    clip = await fetched(clip_product, f"/clips/{done['clipId']}")
    assert (await clip.json())["status"] == "cancelled"
    for link in (*done["links"].values(), f"/conversations/{done['conversationId']}"):
        assert (await fetched(clip_product, link)).status == 404


@pytest.mark.parametrize("what", ["snapshot", "lease"])
async def test_a_clip_is_deleted_whatever_its_url_was_used_for(clip_product: Product, what: str) -> None:
    """A snapshot or a lease of the recording, by its URL, prevents no deletion of the clip or of its conversation."""
    clip = await opened(clip_product, blocks=True)
    assert await upload(clip_product, clip, recording(1.0), **{"x-ms-blob-type": "BlockBlob"}) == 201
    await followed(clip_product, clip)
    lease = {"x-ms-lease-action": "acquire", "x-ms-lease-duration": "-1"} if what == "lease" else {}
    async with clip_product.http.put(f"{clip['upload']['url']}&comp={what}", headers=lease) as response:
        assert response.status == 201
    for path in (f"/clips/{clip['clipId']}", f"/conversations/{clip['conversationId']}"):
        async with clip_product.delete(path) as response:
            assert response.status == 204

    assert (await fetched(clip_product, f"/conversations/{clip['conversationId']}")).status == 404


async def test_a_conversation_is_gone_although_storage_is_down(clip_product: Product) -> None:
    """A deletion that fails in storage has removed what can be read; the next one completes it."""
    done = await ended(clip_product, recording(1.0))
    storage = clip_product.app.clip_work.services.recordings
    undeletable: Any = UndeletableRecordings()
    clip_product.app.clip_work.services = replace(clip_product.app.clip_work.services, recordings=undeletable)
    async with clip_product.delete(f"/conversations/{done['conversationId']}") as response:
        assert response.status == 502
    assert (await (await fetched(clip_product, "/conversations")).json())["conversations"] == []
    for link in (*done["links"].values(), f"/conversations/{done['conversationId']}"):
        assert (await fetched(clip_product, link)).status == 404

    clip_product.app.clip_work.services = replace(clip_product.app.clip_work.services, recordings=storage)
    async with clip_product.delete(f"/conversations/{done['conversationId']}") as response:
        assert response.status == 204


class UndeletableRecordings:
    """Recordings in a storage that does not delete them."""

    async def delete(self, name: ClipName) -> None:
        raise StageFailed("Storage failed with 500.", stage="storage")


async def test_a_deleted_clip_leaves_other_turns(clip_product: Product) -> None:
    """The other turns of its conversation stay, and the conversation's title no longer has the clip's words."""
    done = await ended(clip_product, recording(1.0))
    typed = {"text": "And now?", "conversationId": done["conversationId"], "speech": "none"}
    async with clip_product.post("/process", json=typed) as response:
        assert response.status == 200
    async with clip_product.delete(f"/clips/{done['clipId']}") as response:
        assert response.status == 204

    turns = await (await fetched(clip_product, f"/conversations/{done['conversationId']}")).json()
    assert [turn["transcription"] for turn in turns["turns"]] == ["And now?"]
    (conversation,) = (await (await fetched(clip_product, "/conversations")).json())["conversations"]
    assert (conversation["title"], conversation["turnCount"]) == ("And now?", 1)


async def test_deleting_a_conversation_deletes_its_clips(clip_product: Product) -> None:
    """Their transcripts and speech are deleted too, and a clip that waits for its upload is cancelled."""
    done = await ended(clip_product, recording(1.0))
    waiting = await opened(clip_product, conversationId=done["conversationId"])
    async with clip_product.delete(f"/conversations/{done['conversationId']}") as response:
        assert response.status == 204

    for link in done["links"].values():
        assert (await fetched(clip_product, link)).status == 404
    clip = await fetched(clip_product, f"/clips/{waiting['clipId']}")
    assert (await clip.json())["status"] == "cancelled"


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"sizeBytes": 2_000_000_000}, 413, "audio-too-large"),
        ({"conversationId": "made-up"}, 404, "conversation-not-found"),
        ({"language": "German"}, 400, "request-invalid"),
        ({"notes": "x" * 2001}, 400, "request-invalid"),
        ({"sizeBytes": -1}, 400, "request-invalid"),
    ],
)
async def test_an_invalid_clip_request_is_refused(
    clip_product: Product, sent: dict[str, Any], status: int, code: str
) -> None:
    """The request is refused before anything is uploaded."""
    async with clip_product.post("/clips", json=sent) as response:
        problem = json.loads(await response.text())

    assert (response.status, problem["code"]) == (status, code)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "audio-empty"),
        (b"PK\3\4 this is a zip file, not a recording" * 10, "audio-format-unknown"),
        (recording(1.0)[:30], "audio-unreadable"),
        (wav.whole(silence(3.0), 16_000), "no-speech"),
    ],
)
async def test_an_unusable_recording_fails_the_clip(clip_product: Product, data: bytes, code: str) -> None:
    """The clip states the reason, and no provider was called."""
    clip = await ended(clip_product, data)

    assert (clip["status"], clip["problem"]["code"]) == ("failed", code)
    assert not clip_product.services.paid()


@pytest.mark.parametrize(("data", "code"), [(bytes(100_001), "audio-too-large"), (recording(2.6), "audio-too-long")])
async def test_a_recording_beyond_the_limits_fails_the_clip(
    small_clip_product: Product, data: bytes, code: str
) -> None:
    """Storage does not know the limits; the worker checks them before anything is paid for."""
    clip = await ended(small_clip_product, data)

    assert (clip["status"], clip["problem"]["code"]) == ("failed", code)
    assert not small_clip_product.services.paid()


async def test_a_clip_without_an_upload_expires(clip_product: Product) -> None:
    """After the upload slot's time, a client that follows the clip receives the status expired at once."""
    clip = await opened(clip_product)
    clips = clip_product.app.clip_work.clips
    stored = await clips.get(ClipName("local", clip["clipId"]))
    await clips.replace(stored.changed(upload_until=stored.created_at))

    assert [event["status"] for event in await followed(clip_product, clip)] == ["expired"]


@pytest.mark.parametrize("blob", ["foreign.txt", "bm9ib2R5/clip1", "some/folder/file.wav"])
async def test_a_foreign_blob_is_ignored(
    clip_product: Product, account: Account, caplog: pytest.LogCaptureFixture, blob: str
) -> None:
    """Whether or not its name could be a clip's, the blob is logged and stays, and nothing is paid for."""
    await opened(clip_product)
    caplog.set_level("INFO", "voice")
    async with BlobServiceClient(account.url, account.key) as client:
        container = client.get_container_client("clips")
        await container.upload_blob(blob, recording(1.0))
        await eventually(lambda: "clip-foreign" in caplog.text)
        assert [name async for name in container.list_blob_names()] == [blob]

    assert blob not in caplog.text
    assert not clip_product.services.paid()


async def test_a_second_upload_is_refused(clip_product: Product) -> None:
    """Storage refuses it: a slot is valid for one blob, once."""
    clip = await opened(clip_product)

    assert await upload(clip_product, clip, recording(1.0)) == 201
    assert await upload(clip_product, clip, recording(2.0)) == 403
    assert (await followed(clip_product, clip))[-1]["progress"]["secondsTotal"] == 1.0


async def test_a_failing_provider_fails_the_clip_with_its_stage(clip_product: Product) -> None:
    """The clip fails after all attempts; its transcript stays."""
    clip_product.services.openai.add("chat", Step(status=400, repeat=True))
    clip = await ended(clip_product, recording(1.0))

    assert (clip["status"], clip["problem"]["stage"]) == ("failed", "assistant")
    assert (await fetched(clip_product, clip["links"]["text"])).status == 200


async def test_unknown_clips_and_parts_are_not_found(clip_product: Product) -> None:
    """A clip or a part that does not exist is 404; a part whose name is not defined is 400."""
    clip = await opened(clip_product)
    paths = ("/clips/nobodys", "/clips/nobodys/reply.txt", f"/clips/{clip['clipId']}/transcript.txt")
    for path in paths:
        assert (await fetched(clip_product, path)).status == 404
    async with clip_product.delete("/clips/nobodys") as response:
        assert response.status == 404
    assert (await fetched(clip_product, f"/clips/{clip['clipId']}/secret.txt")).status == 400


async def test_without_storage_clips_are_unavailable(product: Product) -> None:
    """Without Blob storage, clips and speech files are 503; everything else works."""
    for path in ("/clips/any", "/conversations/c/turns/t/speech"):
        response = await fetched(product, path)
        assert (response.status, json.loads(await response.text())["code"]) == (503, "stage-unreachable")
    async with product.post("/clips", json={}) as posted:
        assert posted.status == 503


def test_docs_list_every_outcome() -> None:
    """The table of docs/clips.md has each code that these tests see."""
    page = (Path(__file__).parents[2] / "docs" / "clips.md").read_text()

    for code in ("audio-empty", "audio-format-unknown", "audio-unreadable", "no-speech", "recording-missing"):
        assert f"`{code}`" in page
