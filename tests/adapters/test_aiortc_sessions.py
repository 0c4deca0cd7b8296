"""WebRTC by aiortc: a client and the product's peer, over real sockets."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import numpy as np
import pytest
from aioice.ice import StunProtocol
from aioice.stun import Class
from aioice.stun import Message as StunMessage
from aiortc import RTCIceTransport, RTCPeerConnection

from fakes.eventually import HANG_SECONDS, eventually
from fakes.webrtc import Caller, tones
from voice_core.adapters.aiortc_sessions.liveness import Liveness
from voice_core.adapters.aiortc_sessions.peer import AiortcPeer
from voice_core.adapters.aiortc_sessions.peers import AiortcPeers
from voice_core.domain.audio import RECOGNITION_RATE, SPEECH_RATE, seconds
from voice_core.domain.errors import InvalidInput, StageFailed
from voice_core.domain.session import IceServer, PeerClosed, PeerConnected, PeerMessage

PACKET_SECONDS = 0.02


@asynccontextmanager
async def call(*, writes: bool = True, direction: str = "sendrecv") -> AsyncIterator[tuple[Caller, AiortcPeer]]:
    """A connected client, and the product's peer for it."""
    caller = Caller(writes=writes, direction=direction)
    peer = await AiortcPeers().answer(await caller.offer(), ())
    try:
        await caller.accept(peer.answer)
        await caller.connected()
        assert await peer.happened() == PeerConnected()
        yield caller, peer
    finally:
        await caller.close()
        await peer.aclose()


def tone(length: float, hertz: int = 400) -> bytes:
    wave = np.sin(2 * np.pi * hertz * np.arange(round(length * SPEECH_RATE)) / SPEECH_RATE)
    return (10_000 * wave).astype("<i2").tobytes()


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_replies_are_complete_and_do_not_overlap() -> None:
    """A reply's length is right within 40 ms however it was cut, and it ends before the next one's first sound."""
    async with call() as (caller, peer):
        for number, hertz in enumerate((400, 800, 400)):
            began, pcm = now(), tone(0.731, hertz)
            for start in range(0, len(pcm), 1998):
                peer.play(pcm[start : start + 1998])
            await peer.played()
            await eventually(lambda: not any(packet.loud for packet in caller.ear.packets[-3:]))
            sound = caller.sound(began)
            assert abs(len(sound) * PACKET_SECONDS - 0.731) <= 0.04
            assert tones(sound[1:-1]) == {hertz}, number
            assert peer.heard_seconds == pytest.approx(0.731, abs=PACKET_SECONDS)


async def test_hushing_stops_the_sound_within_a_packet() -> None:
    """Hushing stops the reply, `heard_seconds` says how much was sent, and packets of silence follow."""
    async with call() as (caller, peer):
        began = now()
        peer.play(tone(30.0))
        await eventually(lambda: len(caller.sound(began)) > 10)
        peer.hush()
        sent_seconds = peer.heard_seconds
        await eventually(lambda: len(caller.ear.packets) - len(caller.sound(began)) > 3)

        assert sent_seconds == pytest.approx(len(caller.sound(began)) * PACKET_SECONDS, abs=2 * PACKET_SECONDS)
        assert not caller.ear.packets[-1].loud
        assert len(caller.ear.packets) > len(caller.sound())


async def test_a_reply_to_a_sendonly_client_ends_at_once() -> None:
    """A client that only sends, as WHIP clients usually do, gets no sound, and the reply counts as played."""
    async with call(direction="sendonly") as (_, peer):
        peer.wake()
        peer.play(tone(300.0))
        async with asyncio.timeout(HANG_SECONDS):
            await peer.played()
        assert peer.heard_seconds == 0


async def test_an_utterance_is_received_to_its_last_packet() -> None:
    """An utterance contains its last packet, although none follows, and no sound from before `listen`."""
    async with call() as (caller, peer):
        caller.mouth.talking = True
        await asyncio.sleep(0.3)
        before = caller.mouth.sent
        utterance = peer.listen()
        await asyncio.sleep(0.5)
        peer.stop_listening()
        lasted = 0.02 * (caller.mouth.sent - before)
        async with aclosing(utterance):
            pcm = b"".join([piece async for piece in utterance])

    assert seconds(len(pcm), RECOGNITION_RATE) == pytest.approx(lasted, abs=0.06)
    samples = np.frombuffer(pcm, "<i2").astype(float)
    assert np.sqrt(np.mean(samples**2)) > 300
    assert np.sqrt(np.mean(samples[-480:] ** 2)) > 100


async def test_a_release_may_wait_for_late_packets() -> None:
    """After the release the utterance continues until the client is silent, or until the time limit."""
    async with call() as (caller, peer):
        for talking, limit, least in ((False, 1000.0, 0.0), (True, 0.2, 0.18)):
            caller.mouth.talking = talking
            await asyncio.sleep(0.1)
            utterance = peer.listen()
            released = now()
            peer.stop_listening(limit)
            assert [piece async for piece in utterance]
            assert now() - released >= least


async def test_messages_go_both_ways_and_wait_for_the_channel() -> None:
    """Messages arrive in order, including those that were sent before the client was connected."""
    caller = Caller()
    peer = await AiortcPeers().answer(await caller.offer(), ())
    for number in range(3):
        peer.send(f'{{"type": "note", "n": {number}}}')
    await caller.accept(peer.answer)
    await caller.connected()
    await caller.received("note", 3)
    caller.send("hello")
    assert [await peer.happened(), await peer.happened()] == [PeerConnected(), PeerMessage("hello")]
    assert peer.writes

    peer.send('{"type": "last"}')
    await peer.aclose()
    await caller.received("last")
    await caller.close()
    assert [event["n"] for event in caller.all_received("note")] == [0, 1, 2]


async def test_a_client_without_a_data_channel_is_recognised() -> None:
    """The peer of a client without a data channel reports that it cannot write, and ignores sent messages."""
    async with call(writes=False) as (_, peer):
        peer.send("to nobody")
        assert not peer.writes


async def test_a_client_that_closes_ends_its_peer() -> None:
    """When the client closes the connection, the peer reports `PeerClosed`."""
    async with call() as (caller, peer):
        await caller.close()
        assert await asyncio.wait_for(peer.happened(), HANG_SECONDS) == PeerClosed()


def transport_of(connection: RTCPeerConnection) -> RTCIceTransport:
    """The ICE transport that all media of *connection* share."""
    return connection.getTransceivers()[0].receiver.transport.transport


class PacketFilter:
    """Lets only one kind of the client's packets pass: that named by *passes*, and none at first."""

    def __init__(self, caller: Caller) -> None:
        self.passes = ""
        for protocol in transport_of(caller.connection)._connection._protocols:
            self._tap(protocol)

    def _tap(self, protocol: StunProtocol) -> None:
        send_data, send_stun = protocol.send_data, protocol.send_stun

        async def data(payload: bytes, address: tuple[str, int]) -> None:
            if self.passes == "sound":
                await send_data(payload, address)

        def stun(message: StunMessage, address: tuple[str, int]) -> None:
            if self.passes == {Class.REQUEST: "checks", Class.RESPONSE: "responses"}.get(message.message_class):
                send_stun(message, address)

        vars(protocol).update(send_data=data, send_stun=stun)


@pytest.mark.parametrize("sign", ["sound", "checks", "responses"])
async def test_a_silent_client_is_lost_and_found_again(sign: str) -> None:
    """A client that sent nothing is found again by its sound, its connectivity checks, or its responses to ours."""
    async with call() as (caller, peer):
        packet_filter = PacketFilter(caller)
        happened: list[str] = []
        liveness = Liveness(lambda: happened.append("lost"), lambda: happened.append("found"), lost_seconds=0.05)
        liveness.follow(transport_of(peer._connection))
        await eventually(lambda: happened == ["lost"])
        packet_filter.passes = sign
        await eventually(lambda: len(happened) > 1)
        liveness.stop()
        assert happened[1] == "found"


@pytest.mark.parametrize("offer", ["", "rubbish", "v=0\r\n", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"])
async def test_an_invalid_offer_is_refused(offer: str) -> None:
    """An invalid offer raises `InvalidInput`, and leaves no task running."""
    before = asyncio.all_tasks()
    with pytest.raises(InvalidInput, match="offer"):
        await AiortcPeers().answer(offer, ())
    await eventually(lambda: asyncio.all_tasks() <= before)


async def test_an_offer_without_opus_is_refused() -> None:
    """An offer without Opus is refused, because the product supports no other codec."""
    caller = Caller()
    offer = (await caller.offer()).replace("opus/48000", "speex/48000").replace(" 0 8", "")
    with pytest.raises(InvalidInput, match="Opus"):
        await AiortcPeers().answer(offer, ())
    await caller.close()


async def test_video_is_declined() -> None:
    """A client that offers video is served without it."""
    caller = Caller()
    caller.connection.addTransceiver("video")
    peer = await AiortcPeers().answer(await caller.offer(), ())
    _, _, video = peer.answer.partition("m=video")
    assert "a=inactive" in video
    await peer.aclose()
    await caller.close()


async def test_without_a_relay_a_relay_only_worker_cannot_answer() -> None:
    """Such a worker raises an error instead of sending an answer without an address."""
    caller = Caller()
    with pytest.raises(StageFailed, match="relay"):
        await AiortcPeers(relay_only=True).answer(
            await caller.offer(), [IceServer(("turn:127.0.0.1:1?transport=tcp",))]
        )
    await caller.close()


async def test_candidates_may_come_after_the_offer() -> None:
    """Candidates are accepted as SDP fragments after the offer, and invalid ones are refused."""
    caller = Caller()
    offer = await caller.offer()
    lines = [line for line in offer.split("\r\n") if line.startswith("a=candidate")]
    bare = "\r\n".join(line for line in offer.split("\r\n") if not line.startswith(("a=candidate", "a=end-of-cand")))
    peer = await AiortcPeers().answer(bare, ())
    await caller.accept(peer.answer)
    await peer.add_candidates("\r\n".join(["a=ice-ufrag:x", "m=audio 9 RTP/AVP 0", "a=mid:0", *lines[:2]]))
    await peer.add_candidates("a=mid:0\r\na=end-of-candidates\r\n")
    await caller.connected()
    with pytest.raises(InvalidInput, match="candidate"):
        await peer.add_candidates("a=candidate:rubbish")
    await caller.close()
    await peer.aclose()


async def test_closing_leaves_no_task_and_no_thread() -> None:
    """No task and no thread is left, whether the peer is closed before, while or after the client connects."""
    async with call():
        pass
    tasks, threads = asyncio.all_tasks(), threading.active_count()
    for number in range(6):
        caller = Caller()
        peer = await AiortcPeers().answer(await caller.offer(), ())
        if number % 3:
            await caller.accept(peer.answer)
        if number % 3 == 2:
            await caller.connected()
        await peer.aclose()
        await caller.close()
    await eventually(lambda: asyncio.all_tasks() <= tasks)
    await eventually(lambda: threading.active_count() <= threads)
