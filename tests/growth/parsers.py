"""Inputs that the product's functions parse: recordings, sessions, replies, transcripts."""

import json
import struct
from collections.abc import Callable, Mapping
from functools import partial
from math import inf

from aiortc.rtp import RtpPacket

from emulators.openai import openai_app
from emulators.script import Script, Step
from emulators.serving import serving
from fakes.webrtc import TICKS
from fakes.webrtc import encoded as opus_packets
from tests.audio.files_with_titles import TITLED, ebml
from tests.audio.mp4_files import box, within
from tests.audio.sounds import chunk, encoded, pieces, wav
from tests.growth.kind import Kind
from tests.growth.work import Work
from tests.hygiene.structure.session_description import FINGERPRINT
from voice_core.adapters.aiortc_sessions.audio_receiver import AudioReceiver
from voice_core.adapters.aiortc_sessions.peers import AiortcPeers
from voice_core.adapters.azure_openai.assistant import AzureOpenAIAssistant
from voice_core.adapters.azure_speech.ssml import ssml
from voice_core.audio.base64_audio import decode_base64_audio
from voice_core.audio.limits import Limits
from voice_core.audio.pcm_layout import RawPcm
from voice_core.audio.ranged_decoder import LargeSound
from voice_core.audio.upload_decoder import Decoding
from voice_core.domain.speech import TimedPhrase, TimedWord
from voice_core.functions.session.data_channel import SessionMessageCodec
from voice_core.text.captions import plain_text, webvtt
from voice_core.text.sentences import Sentences
from voice_core.text.speakable import speakable

SOUND = bytes(3_200)
LAYOUT = RawPcm(16_000)
WORDS = 30
"""Words of a phrase. Recognition ends a phrase after 30 s, so no caller can make it longer."""


def upload(data: bytes, step: int = 65_536) -> Work:
    """The decoding of an upload that arrives in pieces of *step* bytes."""

    async def decode() -> None:
        assert [pcm async for pcm in Decoding(None, Limits()).pcm(pieces(data, step))]

    return decode


def stored(data: bytes) -> Work:
    """The decoding of a file that is read by ranges."""

    async def read(start: int, count: int) -> bytes:
        return data[start : start + count]

    async def decode() -> None:
        assert [pcm async for pcm in LargeSound(len(data), read, Limits()).pcm()]

    return decode


def titled(name: str) -> Kind:
    """A container with many titles; the filter hides them."""
    return Kind(200, lambda n: upload(TITLED[name][1](n)))


def wav_chunks(count: int) -> bytes:
    return wav(SOUND, LAYOUT, before=chunk(b"abcd", b"xy") * count)


def mp4_boxes(count: int) -> bytes:
    return within(encoded("ipod", "aac", 24_000), b"moov", *(box(b"free", bytes(8)) for _ in range(count)))


def mp4_fragments(count: int) -> bytes:
    options = {"movflags": "frag_keyframe+empty_moov", "frag_duration": "50000"}
    return encoded("mp4", "aac", 16_000, seconds=count / 20, options=options)


def matroska_elements(count: int) -> bytes:
    file = encoded("webm", "libopus", 48_000, options={"live": "1"})
    at = file.index(b"\x16\x54\xae\x6b")
    return file[:at] + ebml(b"\xec", b"x") * count + file[at:]


def id3_frames(count: int) -> bytes:
    frames = (b"TXXX" + struct.pack(">IH", 4, 0) + b"\0a\0b") * count
    size = bytes(len(frames) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + size + frames + encoded("mp3", "libmp3lame", 24_000)


def base64_text(count: int) -> Work:
    async def decode() -> None:
        decode_base64_audio("UklGRg" + "AAAA" * count)

    return decode


def offered(lines: Callable[[int], str], count: int) -> Work:
    """The answer to an offer of one section of Opus with more *lines*."""
    offer = "\r\n".join(
        (
            "v=0",
            "o=- 1 1 IN IP4 127.0.0.1",
            "s=-",
            "t=0 0",
            "a=group:BUNDLE 0",
            "m=audio 9 UDP/TLS/RTP/SAVPF 111",
            "c=IN IP4 0.0.0.0",
            "a=mid:0",
            "a=ice-ufrag:abcd",
            "a=ice-pwd:abcdefghijklmnopqrstuvwx",
            f"a=fingerprint:sha-256 {FINGERPRINT}",
            "a=setup:actpass",
            "a=rtcp-mux",
            "a=rtpmap:111 opus/48000/2",
            *(lines(each) for each in range(count)),
            "",
        )
    )

    async def answer() -> None:
        await (await AiortcPeers().answer(offer, ())).aclose()

    return answer


def control_messages(count: int) -> Work:
    async def read() -> None:
        for _ in range(count):
            SessionMessageCodec(4_000).read('{"type": "response.cancel"}')

    return read


def control_members(count: int) -> Work:
    text = json.dumps({"type": "response.cancel", **dict.fromkeys(map(str, range(count)), 1)})

    async def read() -> None:
        SessionMessageCodec(4_000).read(text)

    return read


def microphone(count: int, gap: int = 0) -> Work:
    """Packets of a microphone, of which each is *gap* packets after the one before it."""
    opus = opus_packets(bytes(96_000))[0]

    async def listen() -> None:
        receiver = AudioReceiver(lambda: -inf)
        pcm = receiver.listen()
        for number in range(count):
            packet = RtpPacket(sequence_number=number, timestamp=number * TICKS * (1 + gap), ssrc=1)
            packet._data = opus  # type: ignore[attr-defined]
            receiver.add(packet)
        receiver.stop()
        assert [piece async for piece in pcm]

    return listen


def reply(deltas: Callable[[int], list[str]], count: int) -> Work:
    """A model's reply in these *deltas*, cut into sentences that are spoken."""
    chunks = [{"choices": [{"index": 0, "delta": {"content": delta}}]} for delta in deltas(count)]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    body = "".join(f"data: {json.dumps(each)}\n\n" for each in chunks) + "data: [DONE]\n\n"

    async def speak() -> None:
        script, sentences = Script(), Sentences()
        script.add("chat", Step(body=body))
        async with serving(openai_app(script=script)) as url:
            assistant = AzureOpenAIAssistant(f"{url}/v1/", key="k", model="m", system_prompt="s")
            complete = [each async for piece in assistant.reply("Hello.", ()) for each in sentences.feed(piece)]
            await assistant.close()
        spoken([*complete, *sentences.finish()])

    return speak


def spoken(sentences: list[str]) -> None:
    assert [ssml(speakable(sentence), "en-US-AvaMultilingualNeural") for sentence in sentences]


def text(written: str) -> Work:
    async def speak() -> None:
        sentences = Sentences()
        spoken([*sentences.feed(written), *sentences.finish()])

    return speak


def captions(phrases: int) -> Work:
    """The captions of so many phrases, each longer than a caption."""
    said = [TimedWord("word", 300 * each, 300 * each + 200) for each in range(WORDS)]
    phrase = TimedPhrase(" ".join(word.text for word in said), 0, 300 * WORDS, "en-US", None, tuple(said))

    async def write() -> None:
        assert plain_text([phrase] * phrases)
        assert webvtt([phrase] * phrases)

    return write


PARSERS: Mapping[str, Kind] = {
    "chunks of a WAV": Kind(7, lambda n: upload(wav_chunks(n))),
    "pieces of a WAV": Kind(100, lambda n: upload(wav(SOUND * n, LAYOUT), step=3_200)),
    "boxes of an MP4": Kind(300, lambda n: upload(mp4_boxes(n))),
    "fragments of an MP4": Kind(20, lambda n: upload(mp4_fragments(n))),
    "elements of a Matroska": Kind(1_000, lambda n: upload(matroska_elements(n))),
    "streams of an Ogg": Kind(5, lambda n: upload(encoded("ogg", "libopus", 48_000) * n)),
    "pages of an Ogg": Kind(5, lambda n: upload(encoded("ogg", "libopus", 48_000, seconds=n))),
    "frames of an ID3 tag": Kind(500, lambda n: upload(id3_frames(n))),
    "frames of an MP3": Kind(2, lambda n: upload(encoded("mp3", "libmp3lame", 24_000, seconds=n))),
    "a stored MP4": Kind(3, lambda n: stored(encoded("ipod", "aac", 24_000, seconds=n))),
    "a stored WAV": Kind(100, lambda n: stored(wav(SOUND * n, LAYOUT))),
    **{f"titles of {name}": titled(name) for name in TITLED},
    "base64": Kind(50_000, base64_text),
    "lines of an offer": Kind(100, partial(offered, lambda each: f"a=x-unknown:{each}")),
    "sources of an offer": Kind(20, partial(offered, lambda each: f"a=ssrc:{each} cname:a")),
    "candidates of an offer": Kind(
        8, partial(offered, lambda each: f"a=candidate:{each} 1 udp 2130706431 127.0.0.1 {9_000 + each} typ host")
    ),
    "control messages": Kind(200, control_messages),
    "members of a control message": Kind(500, control_members),
    "packets of a microphone": Kind(100, microphone),
    "packets after gaps": Kind(10, partial(microphone, gap=100)),
    "deltas of a reply": Kind(200, partial(reply, lambda n: ["A word. "] * n)),
    "one long delta": Kind(5_000, partial(reply, lambda n: ["word " * n])),
    "code in a reply": Kind(5_000, partial(reply, lambda n: ["```\n" + "word " * n + "\n```\nDone."])),
    "sentences": Kind(100, lambda n: text("This is one. " * n)),
    "marks": Kind(60, lambda n: text("**" * n + "a" + "**" * n)),
    "rows of a table": Kind(50, lambda n: text("| a | b |\n" * n + "Done.")),
    "phrases of a transcript": Kind(20, captions),
}
"""By name. A kind is one line."""
