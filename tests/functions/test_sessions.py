"""/session: negotiation, turns over WebRTC, and the session's end, on the complete product."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from emulators.script import Step
from emulators.speech.scripted_recognition import SECONDS_PER_WORD
from fakes.eventually import HANG_SECONDS, eventually
from fakes.webrtc import Caller
from tests.conftest import HEARD, Product, Services
from tests.functions.calls import call, offer, speak
from tests.functions.test_contract import validator
from voice_core.adapters.aiortc_sessions.audio_sender import TRAILING_FRAMES
from voice_core.usecases.session.ice_servers import IceServers

REPLY_WORDS = 280
"""Over a minute of speech, and fewer tokens than a reply may have."""
REPLY_PACKETS = REPLY_WORDS * SECONDS_PER_WORD / 0.02
QUIET_PACKETS = TRAILING_FRAMES // 2
"""Packets of the silence that is sent after a reply."""


async def spoken_turn(caller: Caller, count: int = 1) -> dict[str, Any]:
    """Press, speak and release; the final event of turn number *count*."""
    caller.press()
    await speak(caller)
    caller.release()
    return await caller.received("turn.done", count)


async def test_press_speak_release_and_hear_the_reply(product: Product) -> None:
    """A turn over WebRTC has a transcript, a reply, and speech on the audio track; a second turn has the history."""
    product.services.openai.add("chat", Step(text="Sunny."), Step(text="Rainy."))
    async with call(product) as (caller, document):
        first = await spoken_turn(caller)
        heard = len(caller.sound())
        second = await spoken_turn(caller, 2)
        assert heard > 5
        assert len(caller.sound()) > heard
        async with product.get(f"/session/{document['sessionId']}") as response:
            state = await response.json()

    assert HEARD in first["transcription"].lower()
    assert (first["responseText"], second["responseText"]) == ("Sunny.", "Rainy.")
    assert first["conversationId"] == document["conversationId"]
    messages = [entry.facts["messages"] for entry in product.services.openai.served if entry.operation == "chat"]
    assert messages == [2, 4]
    validator("SessionAnswer").validate(document)
    validator("SessionStateAnswer").validate(state)
    checking = validator("Event")
    for event in caller.all_received():
        if not event["type"].startswith("session."):
            checking.validate(event)


async def test_a_session_s_conversation_continues_over_process(product: Product) -> None:
    """A turn over /process with the same id is added to the conversation."""
    async with call(product) as (caller, document):
        await spoken_turn(caller)
    async with product.post("/process", json={"text": "hi", "conversationId": document["conversationId"]}) as response:
        assert response.status == 200
    async with product.get(f"/conversations/{document['conversationId']}") as response:
        assert len((await response.json())["turns"]) == 2


async def test_barge_in_stores_the_played_words(product: Product) -> None:
    """Pressing while the reply plays stops it; the stored turn has the words that were played."""
    long = " ".join(["one two three four five six seven eight nine ten."] * (REPLY_WORDS // 10))
    product.services.openai.add("chat", Step(text=long), Step(text="Well."))
    async with call(product) as (caller, document):
        caller.say("input_text", text="count")
        await eventually(lambda: len(caller.sound()) > 25)
        caller.press()
        done = await caller.received("turn.done")
        await eventually(lambda: not any(one.loud for one in caller.ear.packets[-QUIET_PACKETS:]))
        assert len(caller.sound()) < REPLY_PACKETS / 2
        await speak(caller)
        caller.release()
        await caller.received("turn.done", 2)
        async with product.get(f"/conversations/{document['conversationId']}") as response:
            stored = (await response.json())["turns"][1]

    assert done["interrupted"]
    assert stored["responseText"] == done["responseText"]
    assert long.startswith(stored["responseText"])
    assert 0 < len(stored["responseText"]) < len(long) / 2


async def test_interims_come_while_the_person_speaks(product: Product) -> None:
    """Interim transcripts arrive before the button is released."""
    async with call(product) as (caller, _):
        caller.press()
        await caller.received("transcript.text.delta")
        assert not caller.all_received("transcript.text.done")
        caller.release()
        await caller.received("turn.done")


async def test_without_an_offer_a_session_is_prepared(product: Product) -> None:
    """The response has the id of a conversation that can be begun later, here or over /process."""
    async with product.post("/session", json={}) as response:
        document = await response.json()
        assert response.status == 200
    validator("SessionReadyAnswer").validate(document)
    async with product.post("/process", json={"Text": "hi", "ConversationId": document["conversationId"]}) as response:
        assert (await response.json())["conversationId"] == document["conversationId"]


async def test_a_query_is_answered_aloud(product: Product) -> None:
    """``query`` starts a turn with the session, whatever the case of the members' names."""
    caller = Caller()
    body = {"Query": "recommend games", "ConversationId": None, "Offer": await offer(caller)}
    async with product.post("/session", json=body) as response:
        await caller.accept((await response.json())["answer"]["sdp"])
    done = await caller.received("turn.done")
    await caller.close()

    assert done["transcription"] == "recommend games"
    assert caller.sound()


async def test_a_negotiation_may_be_held_open(product: Product) -> None:
    """The SDP answer is in the first event, the session's events follow, and its end is the last."""
    caller = Caller()
    headers = {"Accept": "text/event-stream"}
    async with product.post("/session", json={"offer": await offer(caller)}, headers=headers) as response:
        assert response.status == 201
        created = await _event(response)
        await caller.accept(created["answer"]["sdp"])
        await caller.connected()
        caller.say("input_text", text="hello")
        await caller.received("turn.done")
        async with product.delete(f"/session/{created['sessionId']}") as closing:
            assert (closing.status, (await closing.json())["reason"]) == (200, "deleted")
        streamed = [created]
        while streamed[-1]["type"] != "session.closed":
            streamed.append(await _event(response))
        assert not (await response.content.read()).strip()
    await caller.close()

    assert created["type"] == "session.created"
    assert [event["type"] for event in streamed[1:]] == [event["type"] for event in caller.all_received()]


async def test_closing_the_stream_ends_its_session(product: Product) -> None:
    """A client that disconnects from the event stream ends its session, with the reason client-left."""
    caller = Caller()
    headers = {"Accept": "text/event-stream"}
    async with product.post("/session", json={"offer": await offer(caller)}, headers=headers) as response:
        created = await _event(response)
        await caller.accept(created["answer"]["sdp"])
        await caller.connected()
    assert (await caller.received("session.closed"))["reason"] == "client-left"
    await caller.close()


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_a_session_opened_with_json_can_trickle(product: Product, accept: str) -> None:
    """Candidates can be added with the ETag of the response."""
    caller = Caller()
    async with product.post("/session", json={"offer": await offer(caller)}, headers={"Accept": accept}) as response:
        path, etag = response.headers["Location"].removeprefix("/api/voice"), response.headers["ETag"]
        headers = {"If-Match": etag, "Content-Type": "application/trickle-ice-sdpfrag"}
        async with product.http.patch(
            f"{product.url}{path}", data="a=mid:0\r\na=end-of-candidates\r\n", headers=headers
        ) as patched:
            assert patched.status == 204
    await caller.close()


CANDIDATE = "a=candidate:1 1 UDP 2122252543 127.0.0.1 9 typ host"


@pytest.mark.parametrize(
    "fragment",
    [
        pytest.param(f"{CANDIDATE} generation 0 ufrag abcd network-cost 999\r\n", id="extensions of a browser"),
        pytest.param(f"a=mid:0\n{CANDIDATE}\n\n\n", id="line feeds and empty lines"),
        pytest.param(f"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:audio\r\n{CANDIDATE}\r\n", id="a mid of another name"),
        pytest.param(f"a=group:BUNDLE 0 1\r\na=ice-options:trickle\r\na=mid:1\r\n{CANDIDATE}", id="other attributes"),
        pytest.param("a=mid:0\r\na=candidate:\r\na=end-of-candidates\r\n", id="an empty candidate"),
        pytest.param(f"{CANDIDATE.lower()}\r\n{CANDIDATE}\r\n", id="one twice"),
    ],
)
async def test_odd_fragments_are_accepted(product: Product, fragment: str) -> None:
    """Whatever else is in a fragment, its candidates are used, and the session connects."""
    caller = Caller()
    async with product.post("/session", json={"offer": await offer(caller)}) as response:
        document, path = await response.json(), response.headers["Location"].removeprefix("/api/voice")
    headers = {"If-Match": "*", "Content-Type": "application/trickle-ice-sdpfrag"}
    async with product.http.patch(f"{product.url}{path}", data=fragment, headers=headers) as response:
        assert response.status == 204, await response.text()
    await caller.accept(document["answer"]["sdp"])
    await caller.connected()
    await caller.close()


async def _event(response: Any) -> dict[str, Any]:
    """The next event of a stream."""
    while not (line := await asyncio.wait_for(response.content.readline(), HANG_SECONDS)).startswith(b"data: "):
        assert line
    document: dict[str, Any] = json.loads(line[6:])
    return document


async def test_whip(product: Product) -> None:
    """As in RFC 9725, an SDP offer gets 201 with Location, ETag and SDP answer; trickle ICE and DELETE work."""
    caller = Caller(writes=False)
    sdp = await caller.offer()
    async with product.post("/session", data=sdp, headers={"Content-Type": "application/sdp"}) as response:
        assert (response.status, response.content_type) == (201, "application/sdp")
        path, etag = response.headers["Location"].removeprefix("/api/voice"), response.headers["ETag"]
        await caller.accept(await response.text())
    ufrag = next(line for line in sdp.splitlines() if line.startswith("a=ice-ufrag"))
    fragment = f"{ufrag}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=end-of-candidates\r\n"
    for match, sent, status, code in (
        ({"If-Match": etag}, fragment, 204, None),
        ({}, fragment, 428, "if-match-missing"),
        ({"If-Match": '"old"'}, fragment, 412, "etag-stale"),
        ({"If-Match": "*"}, fragment.replace(ufrag, "a=ice-ufrag:new"), 422, "ice-restart-unsupported"),
        ({"If-Match": etag}, "a=candidate:rubbish", 400, "fragment-invalid"),
        ({"If-Match": etag}, "rubbish", 400, "fragment-invalid"),
        ({"If-Match": etag, "Content-Type": "text/plain"}, fragment, 415, "content-type-unsupported"),
    ):
        headers = {"Content-Type": "application/trickle-ice-sdpfrag"} | match
        async with product.http.patch(f"{product.url}{path}", data=sent, headers=headers) as response:
            assert response.status == status
            assert code is None or (await response.json(content_type=None))["code"] == code
    await caller.connected()
    async with product.delete(path) as response:
        assert response.status == 200
    await caller.until(lambda: caller.connection.connectionState == "closed")
    await caller.close()


async def test_whip_lists_ice_servers_in_links(product: Product) -> None:
    """The Link header has the servers, with credentials that were created for this session."""
    caller = Caller()
    product.app.ice = IceServers(turn_urls=("turn:127.0.0.1:1?transport=udp",), turn_secret="s")
    headers = {"Content-Type": "application/sdp"}
    async with product.post("/session", data=await caller.offer(), headers=headers) as response:
        link = response.headers["Link"]
    await caller.close()

    assert link.startswith('<turn:127.0.0.1:1?transport=udp>; rel="ice-server"; username="')
    assert link.endswith('credential-type="password"')


async def test_a_whip_client_is_served_hands_free(product: Product) -> None:
    """It has no button: its utterance ends when it falls silent, and the reply follows."""
    caller = Caller(writes=False)
    async with product.post(
        "/session", data=await caller.offer(), headers={"Content-Type": "application/sdp"}
    ) as answer:
        await caller.accept(await answer.text())
    await caller.connected()
    caller.mouth.talking = True
    await speak(caller, 0.6)
    caller.mouth.talking = False
    await eventually(lambda: len(caller.sound()) > 5)
    await caller.close()


async def test_options_lists_the_media_types(product: Product) -> None:
    """OPTIONS returns Accept-Post, as RFC 9725 specifies."""
    async with product.http.options(f"{product.url}/session") as response:
        assert (response.status, "application/sdp" in response.headers["Accept-Post"]) == (204, True)


@pytest.mark.parametrize(
    ("content_type", "body", "status", "code"),
    [
        ("application/sdp", "rubbish", 400, "offer-invalid"),
        ("application/json", '{"offer": {"type": "offer", "sdp": "rubbish"}}', 400, "offer-invalid"),
        ("application/json", '{"offer": {"type": "answer", "sdp": ""}}', 400, "request-invalid"),
        ("application/json", '{"offer": "v=0"}', 400, "request-invalid"),
        ("application/json", "[]", 400, "json-invalid"),
        ("application/json", '{"conversationId": "a/b"}', 400, "request-invalid"),
        ("text/plain", "v=0", 415, "content-type-unsupported"),
        ("application/sdp", "v=0\r\n" * 40_000, 413, "body-too-large"),
    ],
)
async def test_an_invalid_offer_is_refused(
    product: Product, content_type: str, body: str, status: int, code: str
) -> None:
    """Each kind of invalid offer has its status and code."""
    async with product.post("/session", data=body, headers={"Content-Type": content_type}) as response:
        assert (response.status, (await response.json(content_type=None))["code"]) == (status, code)


async def test_an_unknown_session_is_not_found(product: Product) -> None:
    """GET, DELETE and PATCH of it are 404."""
    fragment = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}
    for method, headers in (("GET", {}), ("DELETE", {}), ("PATCH", fragment)):
        async with product.http.request(method, f"{product.url}/session/none", headers=headers) as response:
            assert (response.status, (await response.json(content_type=None))["code"]) == (404, "session-not-found")


async def test_a_worker_at_capacity_refers_to_process(product: Product) -> None:
    """A further session is 503 with Retry-After; it can be opened once another has ended."""
    product.app.settings = replace(product.app.settings, sessions_max=1)
    async with call(product) as (caller, document):
        another = Caller()
        async with product.post("/session", json={"offer": await offer(another)}) as response:
            refused = await response.json(content_type=None)
            assert (response.status, refused["code"]) == (503, "too-many-sessions")
            assert "/process" in refused["detail"]
            assert int(response.headers["Retry-After"]) > 0
        async with product.delete(f"/session/{document['sessionId']}"):
            await caller.received("session.closed")
        await another.close()
    async with call(product):
        pass


async def test_a_failing_assistant_fails_the_turn_only(product: Product, services: Services) -> None:
    """The error is reported with the transcript; the next turn works."""
    services.openai.add("chat", Step(status=500), Step(status=500), Step(status=500), Step(text="Fine."))
    async with call(product) as (caller, _):
        caller.press()
        await speak(caller)
        caller.release()
        error = await caller.received("error")
        assert HEARD in error["transcription"].lower()
        services.openai.clear()
        services.openai.add("chat", Step(text="Fine.", repeat=True))
        assert (await spoken_turn(caller))["responseText"] == "Fine."
