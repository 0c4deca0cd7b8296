"""Data URLs (RFC 2397) of any media type, with their data in base64 or percent-encoded."""

import base64
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audio.sounds import encoded, pcm16, speech, wav
from voice_core.audio.base64_audio import decode_base64_audio
from voice_core.audio.data_url import LONGEST_TYPE
from voice_core.audio.pcm_layout import RawPcm
from voice_core.domain.errors import InvalidAudio

WAV = wav(pcm16(speech(8_000, 0.1)), RawPcm(8_000))
WEBM = encoded("webm", "libopus", 48_000, seconds=0.1)
M4A = encoded("ipod", "aac", 24_000, seconds=0.1)

TYPES = (
    "",
    "audio/wav",
    "video/webm;codecs=vp8,opus",
    "video/x-matroska;codecs=avc1,opus",
    "video/mp4;codecs=avc1.42E01E,mp4a.40.2",
    "audio/webm;codecs=opus,vorbis",
    'audio/webm; codecs="opus, vorbis"; rate=48000',
    "audio/mp4;codecs=mp4a.40.2;bitrate=128000;name=a,b,c,d",
    "AUDIO/WEBM;CODECS=OPUS",
    "application/octet-stream;name=%22a%2Cb%22;charset=utf-8",
)


@pytest.mark.parametrize("media_type", TYPES)
@pytest.mark.parametrize("file", [WAV, WEBM, M4A], ids=["wav", "webm", "m4a"])
def test_any_media_type_may_come_before_the_data(media_type: str, file: bytes) -> None:
    """Base64, plain and URL-safe, padded or not, wrapped or with blanks, and percent-encoded bytes give the file."""
    plain, safe = (encode(file).decode() for encode in (base64.b64encode, base64.urlsafe_b64encode))
    forms = [
        f"data:{media_type};base64,{plain}",
        f"DATA:{media_type};BASE64,{safe.rstrip('=')}",
        f" data:{media_type} ; base64 , {plain[:100]}\r\n {plain[100:]}\n",
        f"data:{media_type};base64,{plain.replace('+', '%2B').replace('/', '%2f').replace('=', '%3D')}",
        f"data:{media_type},{quote_from_bytes(file, safe='')}",
        f"data:{media_type},{''.join(f'%{byte:02x}' for byte in file)}",
        f"data:{media_type},{quote_from_bytes(file, safe=',;=_()*/:@')}",
    ]
    for form in forms:
        audio = decode_base64_audio(form)
        assert (audio.data, audio.raw, audio.cut) == (file, None, False)


@given(st.binary(max_size=300))
def test_data_of_no_known_format_begin_at_the_first_comma(data: bytes) -> None:
    """A comma within quotes belongs to the media type."""
    for media_type in ("audio/pcm;rate=16000", 'audio/pcm;note="a,b"'):
        assert decode_base64_audio(f"data:{media_type},{quote_from_bytes(data, safe='')}").data == data


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("data:audio/wav", "comma"),
        ("data:audio/wav;base64", "comma"),
        ("data:audio/wav,%5", "percent"),
        ("data:audio/wav,%zz%00", "percent"),
        ("data:audio/wav;base64,AA%3", "percent"),
        ("data:audio/wav;base64,A!AA", "base64"),
        ("data:audio/wav;base64,AA%00", "base64"),
        ("data:" + ";a=b" * LONGEST_TYPE + ";base64,AAAA", "comma"),
    ],
)
def test_what_is_no_data_url_is_refused(text: str, reason: str) -> None:
    """The error names the reason."""
    with pytest.raises(InvalidAudio, match=reason) as refused:
        decode_base64_audio(text)
    assert refused.value.code == "audio-base64-invalid"
