"""Offers as clients send them: sections in any order, bundle-only or not served, and candidates that cannot be used."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import pytest

from fakes.sdp import CANDIDATES, TRANSPORT, Sdp
from fakes.webrtc import Caller
from tests.growth.factor import grows_linearly
from voice_core.adapters.aiortc_sessions.answer import answer
from voice_core.adapters.aiortc_sessions.offer import parsed_offer
from voice_core.adapters.aiortc_sessions.peer import AiortcPeer
from voice_core.adapters.aiortc_sessions.peers import AiortcPeers
from voice_core.domain.errors import InvalidInput
from voice_core.domain.session import PeerConnected

SERVED = ("audio", "application")
RTP = "UDP/TLS/RTP/SAVPF"
MDNS = "a=candidate:1 1 udp 2122260223 3f1c7e2a-0000-4000-8000-0123456789ab.local 50001 typ host"
FQDN = "a=candidate:1 1 udp 2122260223 client.example.org 50001 typ host"
TCP = "a=candidate:1 1 tcp 1518280447 198.51.100.7 9 typ host tcptype active"
END = "a=end-of-candidates"


def video(*codec: str, mid: str = "v", port: int = 9) -> list[str]:
    """A video section with one codec."""
    return [f"m=video {port} {RTP} 96", f"a=mid:{mid}", "a=sendonly", "a=rtcp-mux", *codec]


VP8 = video("a=rtpmap:96 VP8/90000")
VP9 = video("a=rtpmap:96 VP9/90000", "a=fmtp:96 profile-id=0")


@asynccontextmanager
async def answered(change: Callable[[Sdp], object]) -> AsyncIterator[tuple[Caller, AiortcPeer, Sdp, Sdp]]:
    """A client, the peer for its offer after *change*, that offer, and the answer to it."""
    caller = Caller()
    offered = Sdp(await caller.offer())
    change(offered)
    try:
        peer = await AiortcPeers().answer(str(offered), ())
        try:
            yield caller, peer, offered, Sdp(peer.answer)
        finally:
            await peer.aclose()
    finally:
        await caller.close()


async def connects(change: Callable[[Sdp], object]) -> Sdp:
    """The answer to an offer after *change*, with which its client connects, data channel included."""
    async with answered(change) as (caller, peer, _, received):
        # The client knows only the sections of its own offer.
        await caller.accept(str(Sdp(str(received)).only(*SERVED)))
        await caller.connected()
        assert await peer.happened() == PeerConnected()
        return received


def bundle_only(port: int, *kinds: str) -> Callable[[Sdp], object]:
    """The sections of *kinds* without attributes of a transport (RFC 9143, 6)."""

    def change(sdp: Sdp) -> None:
        for kind in kinds:
            sdp.port(kind, port).remove(*TRANSPORT, *CANDIDATES, "a=rtcp-mux", "a=rtcp:", "c=", kind=kind)
            sdp.section(kind).append("a=bundle-only")

    return change


def channel_first_bundle_only_audio(sdp: Sdp) -> None:
    bundle_only(0, "audio")(sdp.only("application", "audio"))


def transport_of_the_session(sdp: Sdp) -> None:
    sdp.head += [line for line in sdp.section("audio") if line.startswith(TRANSPORT)]
    bundle_only(0, "audio", "application")(sdp)


def video_before_bundle_only_sections(sdp: Sdp) -> None:
    bundle_only(0, "audio", "application")(sdp.add(VP8, at=0))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(bundle_only(0, "application"), id="port 0"),
        pytest.param(bundle_only(9, "application"), id="port 9"),
        channel_first_bundle_only_audio,
        transport_of_the_session,
        video_before_bundle_only_sections,
    ],
)
async def test_bundle_only_sections_use_the_transport_of_their_group(change: Callable[[Sdp], object]) -> None:
    """A bundle-only section has no attributes of a transport, and is served with those of the tagged section."""
    received = await connects(change)
    assert all(port for _, port in received.ports)


def opus_in_capitals(sdp: Sdp) -> None:
    sdp.replace("audio", lambda line: line.replace("opus/48000/2", "OPUS/48000/2"))


def ice_of_the_session(sdp: Sdp) -> None:
    """As OBS sends it: ICE, fingerprint and set-up for the whole session, and an LS group."""
    sdp.head += [line for line in sdp.section("audio") if line.startswith(TRANSPORT)]
    sdp.head += ["a=group:LS 0 1", "a=msid-semantic:WMS *", "a=ice-options:trickle"]
    sdp.remove(*TRANSPORT, kind="audio").remove(*TRANSPORT, kind="application")


def as_obs(sdp: Sdp) -> None:
    opus_in_capitals(sdp)
    ice_of_the_session(sdp)
    sdp.add(video("a=rtpmap:96 H264/90000", "a=fmtp:96 profile-level-id=42e01f;packetization-mode=1"))


@pytest.mark.parametrize("change", [opus_in_capitals, ice_of_the_session, as_obs])
async def test_an_offer_of_a_broadcaster_is_served(change: Callable[[Sdp], object]) -> None:
    """Names of codecs have no case, and attributes of the session hold for its sections (RFC 8866, 5.13; RFC 8839)."""
    received = await connects(change)
    assert all(port for _, port in received.ports)


@pytest.mark.parametrize(
    "section",
    [
        pytest.param(VP9, id="VP9"),
        pytest.param(video("a=rtpmap:96 AV1/90000"), id="AV1"),
        pytest.param(video("a=rtpmap:96 H265/90000"), id="H265"),
        pytest.param(video("a=rtpmap:96 H264/90000", "a=fmtp:96 profile-level-id=640c1f"), id="H264 high"),
        pytest.param(video("a=rtpmap:96 VP8/90000", port=0), id="stopped"),
        pytest.param(["m=text 9 RTP/AVP 98", "a=mid:v", "a=rtpmap:98 t140/1000"], id="text"),
        pytest.param(["m=message 9 TCP/TLS/MSRP *", "a=mid:v", "a=path:msrps://c.test:9/1;tcp"], id="messages"),
        pytest.param(["m=audio 9 RTP/SAVPF 97", "a=mid:v", "a=rtpmap:97 AMR-WB/16000"], id="another audio codec"),
        pytest.param(["m=application 9 UDP/DTLS/BFCP *", "a=mid:v", "a=floorctrl:c-only"], id="floor control"),
    ],
)
async def test_a_section_that_cannot_be_served_has_port_0_in_the_answer(section: Sequence[str]) -> None:
    """The other sections are served, and the rejected one is not in the BUNDLE group."""
    received = await connects(lambda sdp: sdp.add(section))
    kind = section[0].split()[0].removeprefix("m=")
    assert received.ports[-1] == (kind, 0)
    assert len(received.ports) == 3
    assert "v" not in received.bundled
    assert all(port for _, port in received.ports[:-1])


def without_group_in_front(sdp: Sdp) -> None:
    sdp.add(["m=video 0 RTP/AVP 31", "a=rtpmap:31 H261/90000"], at=0, bundled=False)


@pytest.mark.parametrize(
    ("change", "ports"),
    [
        pytest.param(lambda sdp: sdp.add(VP8, at=0), [True, True, True], id="VP8"),
        pytest.param(lambda sdp: sdp.add(VP9, at=0), [True, True, True], id="VP9"),
        pytest.param(lambda sdp: sdp.only("application", "audio"), [True, True], id="data channel"),
        pytest.param(lambda sdp: sdp.add(VP8, at=0).add(video(*VP8[4:], mid="w"), at=0), [True] * 4, id="two videos"),
        pytest.param(without_group_in_front, [False, True, True], id="stopped, outside of the group"),
    ],
)
async def test_another_section_may_be_first(change: Callable[[Sdp], object], ports: list[bool]) -> None:
    """The client connects whichever section comes first, and those that stay in the group are inactive."""
    received = await connects(change)
    assert [port > 0 for _, port in received.ports] == ports
    assert all("a=inactive" in lines for lines in received.sections if lines[0].startswith("m=video"))


async def test_the_tagged_section_is_kept_whatever_its_codec() -> None:
    """It cannot be rejected while other sections of its group use its transport (RFC 9143, 7.3.3)."""

    def change(sdp: Sdp) -> None:
        bundle_only(0, "audio", "application")(sdp.add(VP9, at=0))

    received = await connects(change)
    assert received.ports[0][1] > 0
    assert {"a=inactive", "a=rtpmap:96 VP9/90000"} <= set(received.sections[0])
    assert received.bundled[0] == "v"


async def test_candidates_of_the_first_section_are_announced_in_it() -> None:
    """A client with video first finds our addresses in that section, the tagged one."""
    async with answered(lambda sdp: sdp.add(VP8, at=0)) as (_, _, _, received):
        assert any(line.startswith("a=candidate:") for line in received.sections[0])


def candidates(*lines: str) -> Callable[[Sdp], object]:
    """The offer with these lines in each section, instead of its candidates."""

    def change(sdp: Sdp) -> None:
        sdp.remove(*CANDIDATES)
        for section in sdp.sections:
            section.extend(lines)

    return change


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([MDNS, END], id="mDNS"),
        pytest.param([FQDN, END], id="FQDN"),
        pytest.param([END], id="none"),
        pytest.param([MDNS, FQDN, TCP, END], id="of all kinds"),
        pytest.param([MDNS.replace("udp", "UDP").replace(".local", ".LOCAL"), END], id="upper case"),
        pytest.param(["a=candidate:1 2 udp 1 198.51.100.7 50001 typ host", END], id="component 2"),
        pytest.param(["a=candidate:1 1 udp 1 10.1.2.3 50001 typ host", END], id="private"),
    ],
)
async def test_a_client_whose_candidates_cannot_be_used_connects(lines: Iterable[str]) -> None:
    """It is found by its own checks, although the offer says that no other candidates will come (RFC 8863)."""
    await connects(candidates(*lines))


@pytest.mark.parametrize(
    "fragment",
    [
        pytest.param([END], id="alone"),
        pytest.param(["a=mid:0", END], id="section 0"),
        pytest.param(["a=mid:0", END, "a=mid:1", END], id="both sections"),
        pytest.param(["a=mid:0", MDNS, END], id="after mDNS"),
        pytest.param(["a=mid:0", TCP, END], id="after TCP"),
        pytest.param(["a=mid:0", FQDN, FQDN.replace("client", "other"), END], id="after names"),
        pytest.param(["a=mid:unknown", MDNS, END], id="a section that is not ours"),
        pytest.param(["a=ice-options:trickle", "m=audio 9 RTP/AVP 0", "a=mid:0", END], id="as in RFC 8840"),
    ],
)
async def test_the_end_of_candidates_does_not_end_a_session(fragment: Sequence[str]) -> None:
    """A client that announces the end before its first check still connects."""
    async with answered(candidates()) as (caller, peer, _, received):
        await peer.add_candidates("\r\n".join(fragment))
        await caller.accept(str(received))
        await caller.connected()
        assert await peer.happened() == PeerConnected()


@pytest.mark.parametrize(
    ("lines", "options"),
    [
        ([TCP, END], []),
        ([TCP], []),
        ([TCP, END], ["a=ice-options:trickle"]),
        ([TCP, TCP.replace("tcp 1", "TCP 2")], []),
    ],
)
async def test_an_offer_with_tcp_candidates_only_is_refused(lines: Iterable[str], options: list[str]) -> None:
    """The error says that UDP or a relay is needed, because such a client would never be connected."""

    def change(sdp: Sdp) -> None:
        candidates(*lines)(sdp)
        sdp.head += options

    with pytest.raises(InvalidInput, match="relay") as refused:
        async with answered(change):
            pass
    assert refused.value.code == "offer-tcp-only"


async def test_an_offer_with_tcp_candidates_may_have_others_later() -> None:
    """A client that trickles is answered while its offer has TCP candidates only."""

    def change(sdp: Sdp) -> None:
        candidates(TCP)(sdp)
        sdp.head.append("a=ice-options:trickle")

    async with answered(change):
        pass


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda sdp: sdp.remove("a=ice-pwd:"), "a=ice-pwd"),
        (lambda sdp: sdp.remove("a=fingerprint:"), "a=fingerprint"),
        (lambda sdp: sdp.remove("a=rtcp-mux", "a=group"), "a=rtcp-mux"),
        (lambda sdp: sdp.port("audio", 0), "audio section"),
        (lambda sdp: sdp.replace("audio", lambda line: line.replace("opus", "speex")), "m=audio"),
    ],
)
async def test_a_refusal_names_the_section_and_the_line(change: Callable[[Sdp], object], named: str) -> None:
    """An offer that cannot be answered is refused with what is missing in it."""
    with pytest.raises(InvalidInput, match=named) as refused:
        async with answered(change):
            pass
    assert refused.value.code == "offer-invalid"


async def test_the_answer_to_an_offer_without_a_data_channel_has_none() -> None:
    """A data channel whose port is missing is rejected, and the session is served by voice alone."""
    async with answered(lambda sdp: sdp.remove("a=sctp-port")) as (_, peer, _, received):
        assert received.ports[1] == ("application", 0)
        assert not peer.writes


async def reduced_answer() -> tuple[Sdp, str]:
    """An offer, and aiortc's answer to what is left of it."""
    async with answered(lambda sdp: sdp) as (_, peer, offered, _):
        return offered, peer._connection.localDescription.sdp


def many_sections(count: int) -> Iterable[list[str]]:
    return (video("a=rtpmap:96 VP8/90000", mid=f"v{number}") for number in range(count))


async def test_the_work_for_sections_grows_with_their_number() -> None:
    """Four times the sections take four times the calls, kept or rejected; of aiortc only two are known."""
    offered, local = await reduced_answer()

    def work(count: int) -> None:
        larger = Sdp(str(offered))
        larger.sections += many_sections(count)
        found = parsed_offer(str(larger.group()))
        assert found.reduced().count("m=") == 2
        assert answer(found, local).count("m=video") == count

    assert grows_linearly(work, 100)


@pytest.mark.parametrize(
    "line",
    ["a=rtpmap:{0} x{0}/8000", "a=rtcp-fb:* x{0}", "a=ssrc:{0} cname:x", "a=extmap:1 urn:x{0}", "a=candidate:{0}"],
)
async def test_the_work_for_attributes_grows_with_their_number(line: str) -> None:
    """Four times the lines take four times the calls, and aiortc receives none of them."""
    offered, _ = await reduced_answer()
    own = parsed_offer(str(offered)).reduced().count("\n")

    def work(count: int) -> None:
        larger = Sdp(str(offered))
        larger.section("audio").extend(line.format(number) for number in range(count))
        assert parsed_offer(str(larger)).reduced().count("\n") == own

    assert grows_linearly(work, 200)
