"""The worker trusts nothing that a decoder process sends."""

import asyncio
import json
import socket

import pytest

from tests.audio.decoder_process.conftest import Events
from tests.audio.sounds import pieces
from voice_core.audio.decoder_process.decoder_connection import DecoderConnection
from voice_core.audio.decoder_process.decoder_frames import (
    DONE,
    FETCH,
    FETCH_RANGE,
    HEADER,
    MOST_BYTES,
    PCM,
    REFUSED,
    SECONDS,
    InvalidFrame,
    Job,
    dump_refusal,
    frame,
    parse_refusal,
)
from voice_core.audio.decoder_process.exchange import Exchange
from voice_core.audio.limits import Limits
from voice_core.domain.errors import InvalidAudio, TooLarge

SIZE = 1000


def test_a_job_is_the_same_after_its_way() -> None:
    """Limits and all members arrive as they were sent."""
    job = Job(Limits(max_bytes=5, max_seconds=1.5), arriving=True, size=7)
    assert Job.parse(job.dump()) == job


def test_an_error_is_the_same_after_its_way() -> None:
    """Class, code and text arrive as they were sent."""
    error = parse_refusal(dump_refusal(TooLarge("Much too long.", code="audio-too-long")))
    assert (type(error), error.code, error.detail) == (TooLarge, "audio-too-long", "Much too long.")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"\xff",
        json.dumps({"error": "SystemExit", "detail": "", "code": ""}).encode(),
        json.dumps({"error": "VoiceError", "detail": "", "code": "internal-error"}).encode(),
        json.dumps({"error": "TooLarge"}).encode(),
    ],
)
def test_errors_that_decoding_does_not_have_are_invalid(payload: bytes) -> None:
    """A decoder process cannot choose an error class, and so no status, that decoding does not have."""
    with pytest.raises(InvalidFrame):
        parse_refusal(payload)


def test_long_errors_are_cut() -> None:
    """A decoder process cannot fill the log."""
    payload = json.dumps({"error": "InvalidAudio", "detail": "x" * 10_000, "code": "audio-unreadable"}).encode()
    assert len(parse_refusal(payload).detail) == 500


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (HEADER.pack(PCM, MOST_BYTES + 1), InvalidAudio),
        (frame(b"?"), InvalidAudio),
        (frame(FETCH, FETCH_RANGE.pack(0, 1)), InvalidAudio),
        (frame(REFUSED, b"{}"), InvalidAudio),
        (frame(PCM, bytes(640_000)) * 4, TooLarge),
    ],
)
async def test_an_upload_is_refused_after_a_frame_that_must_not_be(
    events: Events, sent: bytes, error: type[InvalidAudio]
) -> None:
    """Frames that an upload does not have, and more sound than the limit, end the exchange."""
    ours, theirs = socket.socketpair()
    exchange = await _exchange(events, ours)
    with theirs:
        sending = asyncio.create_task(asyncio.to_thread(theirs.sendall, sent + frame(DONE)))
        with pytest.raises(error):
            await exchange.upload(Job(Limits()), pieces(b"data", 4), lambda _: None)
        theirs.shutdown(socket.SHUT_RDWR)
        await asyncio.gather(sending, return_exceptions=True)
    assert events.reasons == ([] if error is TooLarge else ["protocol"])


@pytest.mark.parametrize(
    "sent",
    [
        frame(FETCH, FETCH_RANGE.pack(SIZE, 1)),
        frame(FETCH, FETCH_RANGE.pack(0, SIZE + 1)),
        frame(FETCH, FETCH_RANGE.pack(1 << 63, 1)),
        frame(FETCH, b"range"),
        frame(SECONDS, b"long"),
        frame(b"?"),
    ],
)
async def test_a_file_is_refused_after_a_frame_that_must_not_be(events: Events, sent: bytes) -> None:
    """A decoder process can read nothing beyond its file."""
    ours, theirs = socket.socketpair()
    exchange = await _exchange(events, ours)
    reads: list[tuple[int, int]] = []

    async def read(start: int, count: int) -> bytes:
        reads.append((start, count))
        return bytes(count)

    with theirs:
        theirs.sendall(sent + frame(DONE))
        with pytest.raises(InvalidAudio):
            async for _ in exchange.ranged(SIZE, read, lambda _: None):
                pass
    assert (reads, events.reasons) == ([], ["protocol"])


async def _exchange(events: Events, ours: socket.socket) -> Exchange:
    """An exchange with a process that the test plays."""
    exited = asyncio.get_running_loop().create_future()
    return Exchange(await DecoderConnection.open(lambda: None, exited, ours), events.report)
