"""Honest files of less usual kinds: cameras, telephones, broadcast and studio programs write them."""

import io
import struct
from collections.abc import Callable, Mapping
from fractions import Fraction

import av
import numpy as np
import pytest

from tests.audio.caf import caf_of, packets
from tests.audio.films import SoundTrack, film
from tests.audio.sounds import (
    channels_of,
    chunk,
    decoded,
    decoded_as_clip,
    encoded,
    fmt,
    likeness,
    samples,
    speech,
    wav,
)
from voice_core.audio.pcm_layout import RawPcm
from voice_core.domain.errors import InvalidAudio

SECONDS = 1.2
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "200000"}


def broadcast(magic: bytes) -> bytes:
    """A long WAV, whose sizes are in a chunk of 64-bit numbers, with notes in odd chunks around the samples."""
    body = samples(channels_of(speech(48_000), 2), "s24le")
    ds64 = chunk(b"ds64", struct.pack("<QQQI", 0, len(body), len(body) // 6, 0))
    notes = chunk(b"bext", bytes(603)) + chunk(b"iXML", b"<x/>!")
    file = wav(body, RawPcm(48_000, 2, "s24le"), ds64, notes, chunk(b"axml", b"<y/>!"), size=0xFFFF_FFFF)
    return magic + b"\xff\xff\xff\xff" + file[8:]


def titled_mp3() -> bytes:
    """An MP3 with ID3v2 and a picture, a Xing table, APEv2 and ID3v1."""
    picture = bytes(100) + b"\xff\xd8\xff\xe0" + bytes(5_000)
    frame = b"APIC" + struct.pack(">I", len(picture)) + b"\0\0" + picture
    size = len(frame)
    id3 = b"ID3\x03\0\0" + bytes((0, size >> 14, size >> 7 & 127, size & 127)) + frame
    item = struct.pack("<II", 5, 0) + b"Title\0hello"
    ape = b"APETAGEX" + struct.pack("<IIII", 2000, len(item) + 32, 1, 0x8000_0000) + bytes(8)
    stream = encoded("mp3", "libmp3lame", 44_100, options={"id3v2_version": "0"})
    return id3 + stream + item + ape + b"TAG" + bytes(125)


def wide_band_3gp() -> bytes:
    """AMR-WB, for which there is no encoder here, in 3GP: 60 frames of 20 ms."""
    source = b"#!AMR-WB\n" + (b"\x44" + bytes(range(60))) * 60
    file = io.BytesIO()
    with av.open(io.BytesIO(source), "r", format="amr") as frames, av.open(file, "w", format="3gp") as output:
        stream = output.add_stream_from_template(frames.streams.audio[0])
        for number, packet in enumerate(frames.demux(frames.streams.audio[0])):
            if packet.size:
                packet.stream, packet.pts, packet.dts = stream, number * 320, number * 320
                packet.time_base = Fraction(1, 16_000)
                output.mux(packet)
    return file.getvalue()


def endless_au() -> bytes:
    """An AU whose size was never written."""
    file = encoded("au", "pcm_s16be", 44_100)
    return file[:8] + b"\xff\xff\xff\xff" + file[12:]


def odd_wav() -> bytes:
    """A WAV of 8 bits with an odd number of samples, and odd chunks before and after."""
    body = samples(speech(11_025)[:-1], "u8")
    return wav(body, RawPcm(11_025, 1, "u8"), chunk(b"odd ", b"odd"), chunk(b"fact", bytes(3)), chunk(b"odd ", b"odd"))


def extensible_wav() -> bytes:
    """A WAV of six channels in the extensible layout."""
    return wav(samples(channels_of(speech(48_000), 6), "s16le"), RawPcm(48_000, 6), extensible=True)


def video(container: str, codec: str, video_codec: str, rate: int = 48_000, *, first: bool = True) -> bytes:
    return film(container, SoundTrack(codec, rate, speech(rate)), video_codec=video_codec, video_first=first)


FILES: Mapping[str, Callable[[], bytes]] = {
    "many fragments": lambda: encoded("mp4", "aac", 48_000, options=FRAGMENTS),
    "fragments of FLAC": lambda: encoded("mp4", "flac", 48_000, options=FRAGMENTS),
    "Opus in CAF": lambda: caf_of(b"opus", 48_000, packets("libopus", 48_000), sound_frames=57_600),
    "FLAC in Ogg": lambda: encoded("ogg", "flac", 44_100, 2),
    "ALAC in MP4": lambda: encoded("mp4", "alac", 44_100, 2),
    "ALAC in CAF": lambda: encoded("caf", "alac", 44_100, 2),
    "MP3 in MP4": lambda: encoded("mp4", "libmp3lame", 44_100),
    "MP3 in Matroska": lambda: encoded("matroska", "libmp3lame", 44_100),
    "PCM in MP4": lambda: encoded("mp4", "pcm_s24le", 48_000),
    "PCM in Matroska": lambda: encoded("matroska", "pcm_s16le", 48_000, 2),
    "floats in Matroska": lambda: encoded("matroska", "pcm_f32le", 48_000),
    "WebM with pictures": lambda: video("webm", "libopus", "vp8"),
    "WebM with pictures behind": lambda: video("webm", "libopus", "vp8", first=False),
    "Matroska with pictures and PCM": lambda: video("matroska", "pcm_s16le", "mpeg4"),
    "MP4 with pictures and Opus": lambda: video("mp4", "libopus", "mpeg4"),
    "3GP with pictures": lambda: video("3gp", "aac", "mpeg4"),
    "MOV of 24 bits": lambda: video("mov", "pcm_s24be", "mpeg4"),
    "RF64": lambda: broadcast(b"RF64"),
    "BW64": lambda: broadcast(b"BW64"),
    "odd WAV": odd_wav,
    "extensible WAV": extensible_wav,
    "AIFF-C, little endian": lambda: encoded("aiff", "pcm_s16le", 44_100, 2),
    "AIFF-C in mu-law": lambda: encoded("aiff", "pcm_mulaw", 22_050),
    "AU without a size": endless_au,
    "W64 of 32 bits": lambda: encoded("w64", "pcm_s32le", 96_000, 2),
    "MP3 with titles": titled_mp3,
    "MP3 of low rate": lambda: encoded("mp3", "libmp3lame", 11_025),
}


@pytest.mark.parametrize("name", FILES)
async def test_odd_files_are_heard(name: str) -> None:
    """Their sound is the source, of the same length, uploaded and as a clip."""
    file = FILES[name]()
    pcm = await decoded(file, 1_013)
    assert likeness(pcm) >= 0.97
    assert abs(len(pcm) / 32_000 - SECONDS) < 0.1
    assert await decoded_as_clip(file) == pcm


async def test_wide_band_in_3gp_is_read() -> None:
    """Each frame of AMR-WB is 20 ms, uploaded and as a clip."""
    file = wide_band_3gp()
    pcm = await decoded(file)
    assert len(pcm) == 32_000 * 60 // 50
    assert await decoded_as_clip(file) == pcm


async def test_a_wav_of_frames_that_do_not_fit_is_read() -> None:
    """Bytes of an incomplete last frame are dropped."""
    body = samples(channels_of(speech(16_000), 2), "s16le")
    assert fmt(RawPcm(16_000, 2))
    pcm = await decoded(wav(body[:-3], RawPcm(16_000, 2)))
    assert len(pcm) == len(body) // 2 - 2
    assert np.frombuffer(pcm, "<i2").any()


@pytest.mark.parametrize("box", [b"stco", b"stsz"])
@pytest.mark.parametrize("codec", ["aac", "alac"])
async def test_an_index_that_leads_to_no_sound_is_not_silence(box: bytes, codec: str) -> None:
    """A damaged index is the file's fault, and not that of the microphone."""
    file = bytearray(encoded("ipod", codec, 44_100))
    at = file.index(box) + 8
    at += 4 if box == b"stco" else 8
    file[at : at + 4] = b"\0\x7f\xff\xff"
    for decode in (decoded, decoded_as_clip):
        with pytest.raises(InvalidAudio) as refused:
            await decode(bytes(file))
        assert refused.value.code in ("audio-unreadable", "audio-truncated")
