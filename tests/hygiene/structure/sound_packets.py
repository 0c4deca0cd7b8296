"""Real packets of each codec, of which the generated files are made."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import av

from tests.audio.sounds import encoded
from tests.hygiene.recordings import words

_SOURCES = {
    "aac": ("ipod", 24_000),
    "alac": ("ipod", 24_000),
    "flac": ("flac", 24_000),
    "libopus": ("ogg", 48_000),
    "vorbis": ("ogg", 44_100),
    "libmp3lame": ("mp3", 24_000),
    "libopencore_amrnb": ("3gp", 8_000),
    "pcm_s16le": ("wav", 16_000),
    "adpcm_ms": ("wav", 16_000),
    "adpcm_ima_wav": ("wav", 16_000),
}
"""Container and hertz of each codec."""

CHANNELS = {"vorbis": 2}
"""FFmpeg's own encoder of Vorbis has stereo only."""


@dataclass(frozen=True, slots=True)
class SoundPackets:
    """Some words in one codec."""

    codec: str
    rate: int
    channels: int
    private: bytes
    """The codec's configuration."""
    packets: Sequence[bytes]
    samples: int
    """Samples in each packet."""


@cache
def sound_packets(codec: str) -> SoundPackets:
    """The words in *codec*, an encoder of FFmpeg."""
    container, rate = _SOURCES[codec]
    channels = CHANNELS.get(codec, 1)
    sound = words(rate)
    frames = sound if channels == 1 else sound.repeat(channels).reshape(-1, channels)
    file = encoded(container, codec, rate, channels, sound=frames)
    with av.open(io.BytesIO(file), "r") as opened:
        stream = opened.streams.audio[0]
        packets = [bytes(packet) for packet in opened.demux(stream) if packet.size]
        private = bytes(stream.codec_context.extradata or b"")
    return SoundPackets(codec, rate, channels, private, packets, max(1, len(sound) // len(packets)))
