"""A WebRTC client: it sends and receives audio packet by packet, and exchanges control messages."""

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy as np
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtp import RtpPacket
from av.stream import Stream

from fakes.eventually import HANG_SECONDS
from fakes.sound import voice_like

RATE = 48_000
TICKS = RATE // 50
LOUD = 0.05
"""Root mean square above which a packet counts as sound, full scale 1."""


@dataclass(frozen=True, slots=True)
class ReceivedAudio:
    """One audio packet that arrived."""

    at: float
    """Time of arrival on the event loop's clock, seconds."""
    level: float
    """Root mean square, full scale 1."""
    hertz: float
    """The pitch of a tone, measured by its sign changes."""

    @property
    def loud(self) -> bool:
        return self.level > LOUD


class Mouth(MediaStreamTrack):
    """A microphone that always sends: a voice while *talking*, else silence."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.talking = False
        self.sent = 0
        """How many packets of 20 ms were sent."""
        self._began = asyncio.get_running_loop().time()

    async def recv(self) -> "av.Packet[Stream]":
        if self.readyState != "live":
            raise MediaStreamError
        due = self._began + self.sent * 0.02
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        voice, silence = _packets()
        packet: av.Packet[Stream] = av.Packet(voice[self.sent % len(voice)] if self.talking else silence)
        packet.pts, packet.time_base = self.sent * TICKS, Fraction(1, RATE)
        self.sent += 1
        return packet


class Ear:
    """Replaces aiortc's jitter buffer, and decodes packets as they arrive."""

    def __init__(self) -> None:
        self.packets: list[ReceivedAudio] = []
        self._decoder = av.AudioCodecContext.create("libopus", "r")
        self._decoder.layout = "mono"

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        payload: bytes = packet._data  # type: ignore[attr-defined]
        frames = [frame.to_ndarray()[0] for frame in self._decoder.decode(av.Packet(payload))]
        samples = np.concatenate(frames).astype(np.float32) / 32_768
        crossings = np.count_nonzero(np.signbit(samples[1:]) != np.signbit(samples[:-1]))
        level = float(np.sqrt(np.mean(samples**2)))
        self.packets.append(
            ReceivedAudio(asyncio.get_running_loop().time(), level, crossings * RATE / len(samples) / 2)
        )
        return False, None


class Caller:
    """One client; its times are the event loop's, in seconds."""

    def __init__(
        self,
        servers: Sequence[RTCIceServer] = (),
        *,
        relay_only: bool = False,
        writes: bool = True,
        direction: str = "sendrecv",
    ) -> None:
        policy = RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
        self.connection = RTCPeerConnection(RTCConfiguration(list(servers), policy, RTCBundlePolicy.MAX_BUNDLE))
        self.mouth, self.ear = Mouth(), Ear()
        self.events: list[tuple[float, dict[str, Any]]] = []
        """Events received on the data channel, each with the time of its arrival."""
        self._changed = asyncio.Event()
        self.connection.addTransceiver(self.mouth, direction)
        vars(self.connection.getTransceivers()[0].receiver)["_RTCRtpReceiver__jitter_buffer"] = self.ear
        self._channel = self.connection.createDataChannel("events") if writes else None
        if self._channel is not None:
            self._channel.on("message", self._message)
            self._channel.on("open", self._changed.set)
        self.connection.on("connectionstatechange", self._changed.set)

    async def offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def accept(self, answer: str) -> None:
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def connected(self) -> None:
        await self.until(
            lambda: (
                self.connection.connectionState == "connected"
                and (self._channel is None or self._channel.readyState == "open")
            )
        )

    async def until(self, happened: Callable[[], object]) -> None:
        """Return once *happened* returns something true; it is called whenever a message or a state change arrives."""
        async with asyncio.timeout(HANG_SECONDS):
            while not happened():
                self._changed.clear()
                await self._changed.wait()

    async def received(self, kind: str, count: int = 1) -> dict[str, Any]:
        """Wait for the *count*-th event of this *kind*, and return it."""
        await self.until(lambda: len(self.all_received(kind)) >= count)
        return self.all_received(kind)[count - 1]

    def all_received(self, *kinds: str) -> list[dict[str, Any]]:
        """The events received so far, of these *kinds* or of all."""
        return [event for _, event in self.events if not kinds or event["type"] in kinds]

    def say(self, kind: str, **members: Any) -> float:
        """Send a control message, and return the time at which it was sent."""
        self.send(json.dumps({"type": kind, **members}))
        return asyncio.get_running_loop().time()

    def send(self, text: str) -> None:
        assert self._channel is not None
        self._channel.send(text)

    def press(self) -> float:
        self.mouth.talking = True
        return self.say("input_audio_buffer.clear")

    def release(self, **members: Any) -> float:
        self.mouth.talking = False
        return self.say("input_audio_buffer.commit", **members)

    def sound(self, after: float = 0.0) -> list[ReceivedAudio]:
        """The received packets later than *after* that contain sound."""
        return [one for one in self.ear.packets if one.at > after and one.loud]

    async def close(self) -> None:
        await self.connection.close()

    def _message(self, message: str) -> None:
        self.events.append((asyncio.get_running_loop().time(), json.loads(message)))
        self._changed.set()


@cache
def _packets() -> tuple[list[bytes], bytes]:
    """Opus packets of one second of voice, and one of 20 ms of silence."""
    silence = encoded(bytes(2 * TICKS * 3))[-1]
    return encoded(voice_like(1.0, RATE)), silence


def encoded(pcm: bytes) -> list[bytes]:
    """Opus packets of 20 ms each of *pcm*, which is mono 16-bit at 48 kHz."""
    encoder = av.AudioCodecContext.create("libopus", "w")
    encoder.sample_rate = RATE
    encoder.layout = "mono"
    encoder.format = av.AudioFormat("s16")
    encoder.options = {"frame_duration": "20"}
    packets: list[bytes] = []
    for start in range(0, len(pcm), 2 * TICKS):
        samples = np.frombuffer(pcm[start : start + 2 * TICKS], "<i2").reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, start // 2
        packets += map(bytes, encoder.encode(frame))
    return packets


def tones(packets: Iterable[ReceivedAudio]) -> set[int]:
    """The pitches of these packets in hertz, to the nearest 100 Hz."""
    return {round(one.hertz / 100) * 100 for one in packets}
