"""Input of /session: offers and candidates of every kind, and many of them."""

import json
from dataclasses import replace
from typing import Any

import pytest

from fakes.sdp import CANDIDATES, Sdp
from fakes.webrtc import Caller
from tests.conftest import Product
from tests.functions.calls import call, offer
from voice_core.adapters.aiortc_sessions.remote_candidates import MAX_CANDIDATES
from voice_core.usecases.session.live_session import FRAGMENTS_AT_ONCE

VIDEO = ["m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:v", "a=sendonly", "a=rtcp-mux"]


async def patched(product: Product, session_id: str, fragment: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, document and header fields of the response to a fragment with candidates."""
    headers = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}
    async with product.http.patch(f"{product.url}/session/{session_id}", data=fragment, headers=headers) as response:
        body = await response.read()
        return response.status, json.loads(body) if body else {}, dict(response.headers)


def candidates(count: int) -> str:
    lines = (f"a=candidate:1 1 udp 1 8.8.{number >> 8}.{number & 255} 9 typ host\r\n" for number in range(count))
    return "a=mid:0\r\n" + "".join(lines)


async def test_more_candidates_than_a_session_uses_are_refused(product: Product) -> None:
    """413, whether they come in one fragment or in several, and the session continues."""
    async with call(product) as (caller, document):
        session_id = document["sessionId"]
        status, problem, _ = await patched(product, session_id, candidates(2500))
        assert (status, problem["code"]) == (413, "candidates-too-many")
        assert (await patched(product, session_id, candidates(MAX_CANDIDATES - 8)))[0] == 204
        assert (await patched(product, session_id, candidates(MAX_CANDIDATES + 8)))[0] == 413
        caller.say("input_text", text="hello")
        await caller.received("turn.done")


async def test_fragments_are_counted(product: Product) -> None:
    """A session that sends one after another gets 429 with Retry-After, and continues."""
    async with call(product) as (caller, document):
        responses = [
            await patched(product, document["sessionId"], "a=end-of-candidates\r\n")
            for _ in range(FRAGMENTS_AT_ONCE + 20)
        ]
        refused = next(response for response in responses if response[0] != 204)
        assert (refused[0], refused[1]["violated-policies"]) == (429, ["fragments"])
        assert int(refused[2]["Retry-After"]) == 1
        caller.say("input_text", text="hello")
        await caller.received("turn.done")


async def test_names_are_never_waited_for(product: Product) -> None:
    """A fragment with many .local names is accepted, and no packet is sent to look them up."""
    async with call(product) as (_, document):
        lines = (f"a=candidate:1 1 udp 1 {number}.local 9 typ host\r\n" for number in range(1000))
        assert (await patched(product, document["sessionId"], "".join(lines)))[0] == 204
        peer = product.app.sessions.live("local", document["sessionId"]).peer
        known = peer._connection.getTransceivers()[0].receiver.transport.transport.getRemoteCandidates()  # type: ignore[attr-defined]
        assert not any(one.ip.endswith(".local") for one in known)


@pytest.mark.parametrize("whip", [False, True])
async def test_video_first_is_answered(product: Product, *, whip: bool) -> None:
    """A session is opened for a client whose first section is video, by JSON and by WHIP."""
    caller = Caller()
    sdp = str(Sdp(await caller.offer()).add([*VIDEO, "a=rtpmap:96 VP8/90000"], at=0))
    sent: dict[str, Any] = {"data": sdp, "headers": {"Content-Type": "application/sdp"}}
    async with product.post("/session", **(sent if whip else {"json": {"offer": {"sdp": sdp}}})) as response:
        assert response.status == 201
        received = await response.text() if whip else (await response.json())["answer"]["sdp"]
    await caller.accept(str(Sdp(received).only("audio", "application")))
    await caller.connected()
    await caller.close()


async def test_an_offer_with_tcp_candidates_only_says_what_to_do(product: Product) -> None:
    """400, with a code of its own: such a client would wait for a connection that cannot be."""
    caller = Caller()
    sdp = Sdp(await caller.offer()).remove(*CANDIDATES)
    sdp.section("audio").append("a=candidate:1 1 tcp 1 198.51.100.7 9 typ host tcptype active")
    async with product.post("/session", json={"offer": {"sdp": str(sdp)}}) as response:
        problem = await response.json(content_type=None)
    await caller.close()

    assert (response.status, problem["code"]) == (400, "offer-tcp-only")
    assert "UDP" in problem["detail"]


async def test_a_third_session_ends_the_first(product: Product) -> None:
    """Its client is notified on the data channel, and the other two continue."""
    async with call(product) as (first, document), call(product) as (second, _), call(product) as (third, _):
        assert (await first.received("session.closed"))["reason"] == "replaced"
        async with product.get(f"/session/{document['sessionId']}") as response:
            assert (await response.json())["reason"] == "replaced"
        for caller in (second, third):
            caller.say("input_text", text="hello")
            await caller.received("turn.done")


async def test_relay_credentials_do_not_name_the_user(product: Product) -> None:
    """The relay's log has user names; those of a prepared and of an opened session are random."""
    product.app.settings = replace(
        product.app.settings, turn_urls="turn:127.0.0.1:1?transport=tcp", turn_secret="s", session_idle_seconds=1
    )
    names = []
    caller = Caller()
    for body in ({}, {}, {"offer": await offer(caller)}):
        async with product.post("/session", json=body) as response:
            (server,) = (await response.json())["iceServers"]
            names.append(server["username"])
    await caller.close()

    assert len(set(names)) == 3
    assert not any("local" in name for name in names)


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_offers_with_hundreds_of_sections_are_answered(product: Product, accept: str) -> None:
    """All but two sections are rejected, and the client connects; beyond a number the offer is refused."""
    caller = Caller()
    own = await caller.offer()
    for count, status in ((400, 201), (600, 400)):
        sdp = Sdp(own)
        sdp.sections += [[f"m=video 9 RTP/AVP {number % 96}"] for number in range(count)]
        sent = {"json": {"offer": {"sdp": str(sdp)}}, "headers": {"Accept": accept}}
        async with product.post("/session", **sent) as response:
            assert response.status == status
    await caller.close()
