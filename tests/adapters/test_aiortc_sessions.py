"""WebRTC by aiortc: a client and the product's end of it, over real sockets."""

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

from tests.eventually import PATIENCE_SECONDS, eventually
from tests.webrtc import Caller, tones
from voice_core.adapters.aiortc_sessions.liveness import Liveness
from voice_core.adapters.aiortc_sessions.peer import AiortcPeer
from voice_core.adapters.aiortc_sessions.peers import AiortcPeers
from voice_core.domain.audio import RECOGNITION_RATE, SPEECH_RATE, seconds
from voice_core.domain.errors import InvalidInput, StageFailed
from voice_core.domain.session import IceServer, PeerClosed, PeerConnected, PeerMessage

PACKET_SECONDS = 0.02


@asynccontextmanager
async def call(*, writes: bool = True, direction: str = "sendrecv") -> AsyncIterator[tuple[Caller, AiortcPeer]]:
    """A client that is connected, and our end of it."""
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


async def test_a_reply_is_heard_whole_and_nothing_of_it_in_the_next() -> None:
    """Its length is right within 40 ms however it was cut, its last sound comes before the next reply's first."""
    async with call() as (caller, peer):
        for number, hertz in enumerate((400, 800, 400)):
            began, pcm = now(), tone(0.731, hertz)
            for start in range(0, len(pcm), 1998):
                peer.play(pcm[start : start + 1998])
            await peer.played()
            await eventually(lambda: not any(packet.loud for packet in caller.ear.heard[-3:]))
            sound = caller.sound(began)
            assert abs(len(sound) * PACKET_SECONDS - 0.731) <= 0.04
            assert tones(sound[1:-1]) == {hertz}, number
            assert peer.heard_seconds == pytest.approx(0.731, abs=PACKET_SECONDS)


async def test_hushing_stops_the_sound_within_a_packet() -> None:
    """And says how much was heard; silence follows, so that nothing is left to be guessed at."""
    async with call() as (caller, peer):
        began = now()
        peer.play(tone(30.0))
        await eventually(lambda: len(caller.sound(began)) > 10)
        peer.hush()
        heard = peer.heard_seconds
        await eventually(lambda: len(caller.ear.heard) - len(caller.sound(began)) > 3)

        assert heard == pytest.approx(len(caller.sound(began)) * PACKET_SECONDS, abs=2 * PACKET_SECONDS)
        assert not caller.ear.heard[-1].loud
        assert len(caller.ear.heard) > len(caller.sound())


async def test_a_reply_to_nobody_is_over_at_once() -> None:
    """A client that only sends, as WHIP's usually do, takes none of it."""
    async with call(direction="sendonly") as (_, peer):
        peer.wake()
        peer.play(tone(300.0))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await peer.played()
        assert peer.heard_seconds == 0


async def test_an_utterance_is_heard_to_its_last_packet() -> None:
    """Though no packet follows it, and nothing that was said before the button went down is in it."""
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


async def test_a_release_may_wait_for_what_is_on_its_way() -> None:
    """Until it is quiet, or the time it was given is up, which else would be long."""
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
    """In order, from before the client is even connected."""
    caller = Caller()
    peer = await AiortcPeers().answer(await caller.offer(), ())
    for number in range(3):
        peer.send(f'{{"type": "note", "n": {number}}}')
    await caller.accept(peer.answer)
    await caller.connected()
    await caller.told("note", 3)
    caller.send("hello")
    assert [await peer.happened(), await peer.happened()] == [PeerConnected(), PeerMessage("hello")]
    assert peer.writes

    peer.send('{"type": "last"}')
    await peer.aclose()
    await caller.told("last")
    await caller.close()
    assert [event["n"] for event in caller.all_told("note")] == [0, 1, 2]


async def test_a_client_without_a_channel_is_known_by_that() -> None:
    """Nothing can be asked by it."""
    async with call(writes=False) as (_, peer):
        peer.send("to nobody")
        assert not peer.writes


async def test_a_client_that_closes_is_gone() -> None:
    """At once."""
    async with call() as (caller, peer):
        await caller.close()
        assert await asyncio.wait_for(peer.happened(), PATIENCE_SECONDS) == PeerClosed()


def transport_of(connection: RTCPeerConnection) -> RTCIceTransport:
    """That on which all of its media travel."""
    return connection.getTransceivers()[0].receiver.transport.transport


class Line:
    """What a client sends, of which only one kind passes; none at first."""

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
            if self.passes == {Class.REQUEST: "checks", Class.RESPONSE: "answers"}.get(message.message_class):
                send_stun(message, address)

        vars(protocol).update(send_data=data, send_stun=stun)


@pytest.mark.parametrize("sign", ["sound", "checks", "answers"])
async def test_a_client_that_falls_silent_is_lost_and_found_again(sign: str) -> None:
    """By whatever it sends: its sound, its own connectivity checks, its answers to ours."""
    async with call() as (caller, peer):
        line = Line(caller)
        happened: list[str] = []
        pulse = Liveness(lambda: happened.append("lost"), lambda: happened.append("found"), lost_seconds=0.05)
        pulse.follow(transport_of(peer._connection))
        await eventually(lambda: happened == ["lost"])
        line.passes = sign
        await eventually(lambda: len(happened) > 1)
        pulse.stop()
        assert happened[1] == "found"


@pytest.mark.parametrize("offer", ["", "rubbish", "v=0\r\n", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"])
async def test_an_offer_that_is_none_is_refused(offer: str) -> None:
    """With an error of ours, and nothing left behind."""
    before = asyncio.all_tasks()
    with pytest.raises(InvalidInput, match="offer"):
        await AiortcPeers().answer(offer, ())
    await eventually(lambda: asyncio.all_tasks() <= before)


async def test_an_offer_without_opus_is_refused() -> None:
    """We speak nothing else."""
    caller = Caller()
    offer = (await caller.offer()).replace("opus/48000", "speex/48000").replace(" 0 8", "")
    with pytest.raises(InvalidInput, match="Opus"):
        await AiortcPeers().answer(offer, ())
    await caller.close()


async def test_video_is_not_taken() -> None:
    """A client that offers it is served without."""
    caller = Caller()
    caller.connection.addTransceiver("video")
    peer = await AiortcPeers().answer(await caller.offer(), ())
    _, _, video = peer.answer.partition("m=video")
    assert "a=inactive" in video
    await peer.aclose()
    await caller.close()


async def test_without_a_relay_a_relay_only_worker_cannot_answer() -> None:
    """It says so instead of answering with no address."""
    caller = Caller()
    with pytest.raises(StageFailed, match="relay"):
        await AiortcPeers(relay_only=True).answer(
            await caller.offer(), [IceServer(("turn:127.0.0.1:1?transport=tcp",))]
        )
    await caller.close()


async def test_candidates_may_come_after_the_offer() -> None:
    """As SDP fragments."""
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


async def test_opening_and_closing_leaves_nothing_behind() -> None:
    """No task and no thread, at whatever point the client was cut off."""
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
