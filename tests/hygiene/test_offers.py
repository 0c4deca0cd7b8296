"""Damaged SDP offers."""

import asyncio
import random
from collections.abc import Callable, Iterator

import pytest

from fakes.eventually import eventually
from fakes.webrtc import Caller
from voice_core.adapters.aiortc_sessions.answer import answer
from voice_core.adapters.aiortc_sessions.offer import parsed_offer
from voice_core.adapters.aiortc_sessions.peers import AiortcPeers
from voice_core.adapters.aiortc_sessions.remote_candidates import RemoteCandidates
from voice_core.domain.errors import InvalidInput

DAMAGED = 120
REARRANGED = 2000

LINES = (
    *("m=", "m=audio", "m=audio 0 X 0", "m=video 9 RTP/AVP 96", "m=application 9 DTLS/SCTP 5000"),
    *("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=group:", "a=group:BUNDLE", "a=group:BUNDLE 1 0 0 v"),
    *("a=bundle-only", "a=mid:", "a=mid:0", "a=mid:1", "a=mid:\u00e9", "a=inactive", "a=sendonly", "a=ice-lite"),
    *("a=sctp-port:0", "a=sctp-port:5000", "a=ice-ufrag:", "a=ice-ufrag:abcd", "a=ice-options:trickle"),
    *("a=candidate:", "a=candidate:x", "a=candidate:1 1 udp 1 192.0.2.1 5 typ host", "a=end-of-candidates"),
    *("a=candidate:1 1 tcp 1 c.test 9 typ host", "a=rtpmap:", "a=rtpmap:96 opus/48000", "a=rtpmap:200 opus/48000/2"),
    *("a=fmtp:96 profile-level-id=42e01f", "a=setup:holdconn", "a=fingerprint:sha-256 zz", "a=ssrc:99999999999 x"),
    *("a=extmap:0 urn:ietf:params:rtp-hdrext:sdes:mid", "a=max-message-size:-1", "a", "a=", "=", "", "\u2028"),
)
"""Lines that mean something in one place, and something else or nothing in another."""


@pytest.fixture
async def offer() -> str:
    caller = Caller()
    try:
        return await caller.offer()
    finally:
        await caller.close()


def without_lines(offer: str) -> Iterator[str]:
    """*offer* without one of its lines, for each line."""
    lines = offer.splitlines(keepends=True)
    for number in range(len(lines)):
        yield "".join(lines[:number] + lines[number + 1 :])


def with_changed_characters(offer: str) -> Iterator[str]:
    """*offer* with one to five characters replaced, `DAMAGED` times."""
    chance = random.Random(1)
    for _ in range(DAMAGED):
        characters = list(offer)
        for _ in range(chance.randint(1, 5)):
            characters[chance.randrange(len(characters))] = chr(chance.randrange(32, 127))
        yield "".join(characters)


@pytest.mark.parametrize("damaged", [without_lines, with_changed_characters])
async def test_a_damaged_offer_is_answered_or_refused(offer: str, damaged: Callable[[str], Iterator[str]]) -> None:
    """A damaged offer gets an answer or a typed error, and leaves no connection behind."""
    before = asyncio.all_tasks()
    refused = 0
    for each in damaged(offer):
        try:
            peer = await AiortcPeers().answer(each, ())
            await peer.aclose()
        except InvalidInput:
            refused += 1
    assert refused
    await eventually(lambda: asyncio.all_tasks() <= before)


async def test_media_without_a_direction_go_both_ways(offer: str) -> None:
    """Media without a direction attribute, which many libraries omit, are sendrecv, as in RFC 8866."""
    peer = await AiortcPeers().answer(offer.replace("a=sendrecv\r\n", ""), ())
    await peer.aclose()

    assert "a=sendrecv" in peer.answer


def rearranged(offer: str) -> Iterator[str]:
    """*offer* with up to eight lines added, removed, repeated, exchanged or cut, `REARRANGED` times."""
    chance = random.Random(7)
    for _ in range(REARRANGED):
        lines = offer.splitlines()
        for _ in range(chance.randint(1, 8)):
            here, there = chance.randrange(len(lines)), chance.randrange(len(lines))
            match chance.randrange(5):
                case 0:
                    lines.insert(here, chance.choice(LINES))
                case 1:
                    del lines[here]
                case 2:
                    lines.insert(here, lines[there])
                case 3:
                    lines[here], lines[there] = lines[there], lines[here]
                case _:
                    lines[here] = lines[here][: chance.randint(0, len(lines[here]))]
        yield "\r\n".join(lines)


async def test_a_rearranged_offer_is_answered_or_refused(offer: str) -> None:
    """Whatever the order and number of its lines, an offer gets a section for each of its own, or a typed error."""
    peer = await AiortcPeers().answer(offer, ())
    local = peer._connection.localDescription.sdp
    await peer.aclose()
    answered = 0
    for each in rearranged(offer):
        try:
            found = parsed_offer(each)
            reduced = found.reduced()
            RemoteCandidates(private=True).offered(found.candidates(), complete=found.complete)
        except InvalidInput:
            continue
        received = answer(found, local if found.channel else local.partition("m=application")[0])
        assert (reduced.count("m="), received.count("\nm=")) == (len(found.served), len(found.description.sections))
        answered += 1
    assert 0 < answered < REARRANGED
