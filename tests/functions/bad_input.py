"""Invalid requests and their error responses: the table of docs/errors.md."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fakes.sound import silence, voice_like
from tests.functions.turns import RATE, base64, recording
from voice_core.audio import wav

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=x"}


@dataclass(frozen=True)
class Case:
    """One row of the table. *body* is JSON unless it is bytes; the limits are those of ``small_product``."""

    sent: str
    status: int
    code: str
    body: Any = None
    path: str = "/process"
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def row(self) -> str:
        return f"| {self.sent} | {self.status} | `{self.code}` |"


def audio(data: bytes, **members: Any) -> dict[str, Any]:
    return {"audioData": base64(data), **members}


def riff(fmt: bytes, data: bytes = bytes(3200)) -> bytes:
    chunks = b"fmt " + len(fmt).to_bytes(4, "little") + fmt + b"data" + len(data).to_bytes(4, "little") + data
    return b"RIFF" + (4 + len(chunks)).to_bytes(4, "little") + b"WAVE" + chunks


def form(name: str, value: bytes, filename: str | None = None) -> bytes:
    file = f'; filename="{filename}"' if filename else ""
    return (
        b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n' % (name.encode(), file.encode())
        + value
        + b"\r\n--x--\r\n"
    )


def parts(*forms: bytes) -> bytes:
    """One form with the parts of all *forms*."""
    return b"".join(one.removesuffix(b"--x--\r\n") for one in forms) + b"--x--\r\n"


WAV = recording()
Builder = Callable[[], Case]
CASES = [
    Case("nothing at all", 422, "audio-empty", b""),
    Case("JSON without audioData or text", 400, "nothing-said", {}),
    Case("both audioData and text", 400, "nothing-said", audio(WAV, text="hi")),
    Case(
        "an Idempotency-Key of 201 characters",
        400,
        "idempotency-key-invalid",
        {"text": "hi"},
        headers={"Idempotency-Key": "k" * 201},
    ),
    Case(
        "an Idempotency-Key of nothing", 400, "idempotency-key-invalid", {"text": "hi"}, headers={"Idempotency-Key": ""}
    ),
    Case(
        "an Idempotency-Key of two words",
        400,
        "idempotency-key-invalid",
        {"text": "hi"},
        headers={"Idempotency-Key": "two words"},
    ),
    Case("text of white space", 400, "text-empty", {"text": " \n "}),
    Case("text beyond the limit", 413, "text-too-long", {"text": "a" * 51}),
    Case("JSON that is cut off", 400, "json-invalid", b'{"text": "hi', headers=JSON),
    Case("JSON nested without end", 400, "json-invalid", b"[" * 60_000, headers=JSON),
    Case("JSON that is a list", 400, "json-invalid", [1]),
    Case("JSON that is no UTF-8", 400, "json-invalid", b'{"text": "\xff"}', headers=JSON),
    Case("JSON of 10,001 commas", 413, "body-too-large", b'{"a": [0' + b",0" * 10_001 + b"]}", headers=JSON),
    Case("JSON with a number of 41 digits", 400, "json-invalid", b'{"a": ' + b"1" * 41 + b"}", headers=JSON),
    Case("text that is a number", 400, "request-invalid", {"text": 7}),
    Case("audioData that is a list", 400, "request-invalid", {"audioData": [1, 2]}),
    Case("a member given twice in different case", 400, "request-invalid", {"text": "a", "Text": "b"}),
    Case("a conversationId with a slash", 400, "request-invalid", {"text": "hi", "conversationId": "a/b"}),
    Case("a conversationId of 65 characters", 400, "request-invalid", {"text": "hi", "conversationId": "a" * 65}),
    Case(
        "a conversationId that does not exist", 404, "conversation-not-found", {"text": "hi", "conversationId": "nope"}
    ),
    Case("an unknown voice", 400, "voice-unknown", {"text": "hi", "voice": "en-US-NobodyNeural"}),
    Case("a voice that is SSML", 400, "voice-unknown", {"text": "hi", "voice": "x'/><break/>"}),
    Case("an unknown responseFormat", 400, "request-invalid", {"text": "hi", "responseFormat": "flac"}),
    Case("a language that is none", 400, "request-invalid", audio(WAV, language="English please")),
    Case("a language tag of 256 characters", 400, "request-invalid", audio(WAV, language="en-x" + "-aa" * 84)),
    Case("five candidate languages", 400, "request-invalid", audio(WAV, languages=["en", "de", "fr", "es", "it"])),
    Case("501 phrases", 400, "request-invalid", audio(WAV, phrases=["a"] * 501)),
    Case("headerless PCM at 0 Hz", 400, "request-invalid", audio(bytes(3200), format="Pcm16", sampleRate=0)),
    Case(
        "headerless PCM at a rate that is a word",
        400,
        "request-invalid",
        audio(bytes(9), format="Pcm16", sampleRate="high"),
    ),
    Case("headerless PCM with 9 channels", 400, "request-invalid", audio(bytes(3200), format="Pcm16", channels=9)),
    Case("base64 with foreign characters", 422, "audio-base64-invalid", {"audioData": "UklGR*&^%$$$"}),
    Case("base64 of nothing", 422, "audio-empty", {"audioData": ""}),
    Case("base64 with text after its padding", 422, "audio-base64-invalid", {"audioData": "UklGRg==UklGRg=="}),
    Case("base64 that lost its last characters", 422, "audio-base64-invalid", {"audioData": base64(WAV)[:-3]}),
    Case("a data URL with half an encoded byte", 422, "audio-base64-invalid", {"audioData": "data:audio/wav,RIFF%0"}),
    Case("base64 of a page of HTML", 415, "audio-format-unknown", audio(b"<!DOCTYPE html><html>" + bytes(2000))),
    Case("bytes that are no sound", 415, "audio-format-unknown", b"This is a letter, not a recording." * 40),
    Case(
        "a picture",
        415,
        "audio-format-unknown",
        b"\x89PNG\r\n\x1a\n" + bytes(2000),
        headers={"Content-Type": "image/png"},
    ),
    Case(
        "a zip file named .wav",
        415,
        "audio-format-unknown",
        b"PK\x03\x04" + bytes(2000),
        headers={"Content-Type": "audio/wav"},
    ),
    Case(
        "headerless bytes that are not said to be PCM", 415, "audio-format-unknown", audio(voice_like(), format="Wav")
    ),
    Case("a WAV that ends in its header", 422, "audio-truncated", WAV[:30]),
    Case("a WAV whose fmt chunk is missing", 422, "audio-unreadable", WAV[:12] + WAV[36:]),
    Case("a WAV that claims to last for hours", 413, "audio-too-large", WAV[:40] + b"\0\0\0\x40" + WAV[44:]),
    Case("a WAV of a codec that is not read here", 415, "audio-format-unsupported", WAV[:20] + b"\x34\x12" + WAV[22:]),
    Case("a WAV with a header and no samples", 422, "audio-empty", WAV[:44]),
    Case("a WAV at 0 Hz", 415, "audio-format-unsupported", riff(b"\1\0\1\0" + bytes(8) + b"\2\0\x10\0")),
    Case(
        "a WAV with no channels",
        415,
        "audio-format-unsupported",
        riff(b"\1\0\0\0" + RATE.to_bytes(4, "little") + bytes(4) + b"\2\0\x10\0"),
    ),
    Case(
        "an MP4 without its index",
        422,
        "audio-truncated",
        b"\0\0\0\x18ftypM4A \0\0\0\0M4A isom" + b"\0\0\x10\0mdat" + bytes(4088),
    ),
    Case("an MP4 that was stopped at once", 422, "audio-empty", b"\0\0\0\x18ftypM4A \0\0\0\0M4A isom"),
    Case("three bytes of an ID3 tag", 422, "audio-unreadable", b"ID3"),
    Case("an ID3 tag that claims 100 MB", 422, "audio-unreadable", b"ID3\4\0\0\x30\0\0\0" + bytes(5000)),
    Case(
        "an Ogg that is rubbish after its first page",
        422,
        "audio-unreadable",
        b"OggS\0\2" + bytes(20) + b"\1\x1e\1vorbis" + b"\x55" * 3000,
    ),
    Case("an MP3 header and rubbish", 415, "audio-format-unknown", b"\xff\xfb\x90\x64" + b"\x13" * 3000),
    Case("more bytes than the limit", 413, "audio-too-large", wav.whole(silence(3), RATE)),
    Case("more bytes than the limit, in base64", 413, "audio-too-large", audio(bytes(70_000))),
    Case("a JSON body far beyond the limit", 413, "body-too-large", {"audioData": "A" * 300_000}),
    Case("more seconds than the limit", 413, "audio-too-long", wav.whole(silence(3, 8000), 8000)),
    Case("silence", 422, "no-speech", wav.whole(silence(1.5), RATE)),
    Case("a slip of the finger (80 ms)", 422, "no-speech", wav.whole(voice_like(0.08), RATE)),
    Case("a form without a file", 400, "nothing-said", form("language", b"en-US"), headers=FORM),
    Case("a form whose file is empty", 422, "audio-empty", form("audio", b"", "a.wav"), headers=FORM),
    Case("a form that is cut off", 400, "multipart-invalid", b"rubbish", headers=FORM),
    Case(
        "a form without a boundary",
        400,
        "multipart-invalid",
        form("audio", WAV, "a.wav"),
        headers={"Content-Type": "multipart/form-data"},
    ),
    Case(
        "a form whose boundary has 71 characters",
        400,
        "multipart-invalid",
        form("text", b"hi"),
        headers={"Content-Type": f"multipart/form-data; boundary={'x' * 71}"},
    ),
    Case("a form without its end", 400, "multipart-invalid", form("text", b"hi").removesuffix(b"--\r\n"), headers=FORM),
    Case("a form of two files", 400, "multipart-invalid", parts(*[form("a", WAV, "a.wav")] * 2), headers=FORM),
    Case("a form of 101 fields", 400, "multipart-invalid", parts(*[form("a", b"b")] * 101), headers=FORM),
    Case("a form with a part without a name", 400, "multipart-invalid", b"--x\r\n\r\nhi\r\n--x--\r\n", headers=FORM),
    Case(
        "a form with a part whose headers are too long",
        400,
        "multipart-invalid",
        form("a" * 9000, b"b"),
        headers=FORM,
    ),
    Case(
        "a form in another charset than UTF-8",
        415,
        "content-type-unsupported",
        form("text", b"hi"),
        headers={"Content-Type": "multipart/form-data; boundary=x; charset=punycode"},
    ),
    Case("more than the limit in a form's fields", 413, "body-too-large", form("text", bytes(129_000)), headers=FORM),
    Case(
        "a Content-Type of 101 parameters",
        400,
        "request-invalid",
        voice_like(),
        headers={"Content-Type": "audio/pcm" + ";a=b" * 101},
    ),
    Case(
        "a body that is compressed",
        415,
        "content-encoding-unsupported",
        b"\x1f\x8b\x08",
        headers={"Content-Encoding": "gzip"},
    ),
    Case("a URL of 601 parameters", 400, "request-invalid", WAV, path="/process?" + "a=b&" * 601),
    Case(
        "audio/pcm at a rate that is a word",
        400,
        "request-invalid",
        voice_like(),
        headers={"Content-Type": "audio/pcm;rate=high"},
    ),
    Case(
        "audio/pcm at 8 Hz", 415, "audio-format-unsupported", voice_like(), headers={"Content-Type": "audio/pcm;rate=8"}
    ),
    Case("an Accept that nothing here meets", 406, "not-acceptable", {"text": "hi"}, headers={"Accept": "image/png"}),
    Case("an Accept of 102 types", 406, "not-acceptable", {"text": "hi"}, headers={"Accept": "*/*" + ",a/b" * 101}),
    Case("an Accept that refuses everything", 406, "not-acceptable", {"text": "hi"}, headers={"Accept": "*/*;q=0"}),
    Case("text to /transcribe", 400, "nothing-said", {"text": "hi"}, path="/transcribe"),
    Case("silence to /transcribe", 422, "no-speech", wav.whole(silence(1), RATE), path="/transcribe"),
    Case("nothing to /speak", 400, "request-invalid", {}, path="/speak"),
    Case("a recording to /speak", 400, "json-invalid", WAV, path="/speak"),
    Case("only emoji to /speak", 400, "text-unspeakable", {"text": "😀😀"}, path="/speak"),
    Case("an unknown voice to /speak", 400, "voice-unknown", {"text": "hi", "voice": "nobody"}, path="/speak"),
    Case("a page of 0 conversations", 400, "request-invalid", path="/conversations?limit=0", method="GET"),
    Case("a page after rubbish", 400, "continuation-invalid", path="/conversations?continuation=rubbish", method="GET"),
    Case("a conversation that does not exist", 404, "conversation-not-found", path="/conversations/nope", method="GET"),
    Case("a conversation whose name none can have", 400, "request-invalid", path="/conversations/a.b", method="GET"),
    Case("voices of a language that is none", 400, "request-invalid", path="/voices?language=!", method="GET"),
    Case("a path that is not there", 404, "path-unknown", path="/nowhere", method="GET"),
    Case("a method that is not for this path", 405, "method-not-allowed", path="/process", method="GET"),
]
