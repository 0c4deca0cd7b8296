"""A decoder process: decodes one recording and ends."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing

from voice_core.audio import ffmpeg
from voice_core.audio.decoder_process.arriving_file import ArrivingFile
from voice_core.audio.decoder_process.decoder_frames import (
    DATA,
    DONE,
    FETCH,
    FETCH_RANGE,
    JOB,
    PCM,
    REFUSED,
    SECONDS,
    TAKEN,
    BlockingFrames,
    ConnectionEnded,
    Job,
    dump_refusal,
    dump_seconds,
)
from voice_core.audio.decoder_process.kernel_limits import allow_cpu
from voice_core.audio.limits import DecodingDeadline
from voice_core.audio.ranged_file import Fetch
from voice_core.domain.audio import RECOGNITION_RATE, seconds
from voice_core.domain.errors import InvalidAudio, VoiceError

BATCH_BYTES = 65_536
"""PCM that is sent at a time: two seconds. An arriving upload is sent as it is decoded."""

UNLIMITED = float("inf")
"""The kernel and the worker enforce the deadline of a decoder process."""

FAILED = 1
"""Exit status after an error that no caller causes."""


def run(connection: socket.socket) -> int:
    """Decode the recording that *connection* brings, and return the exit status."""
    frames = BlockingFrames(connection)
    try:
        kind, payload = frames.receive()
        if kind != JOB:
            return FAILED
        frames.send(TAKEN)
        _decode(Job.parse(payload), frames)
        frames.finish()
    except ConnectionEnded:
        return os.EX_OK
    return os.EX_OK


def _decode(job: Job, frames: BlockingFrames) -> None:
    again = allow_cpu(0.0)
    pcm_bytes = 0
    try:
        for pcm in _batches(job, frames):
            pcm_bytes += len(pcm)
            decoded_seconds = seconds(pcm_bytes, RECOGNITION_RATE)
            if decoded_seconds >= again:
                again = allow_cpu(decoded_seconds)
            frames.send(PCM, pcm)
    except VoiceError as refusal:
        frames.send(REFUSED, dump_refusal(refusal))
    except MemoryError:
        detail = "Decoding the recording takes too much memory. Send it as WAV or in a smaller piece."
        frames.send(REFUSED, dump_refusal(InvalidAudio(detail)))
    else:
        frames.send(DONE)


def _batches(job: Job, frames: BlockingFrames) -> Iterator[bytes]:
    """The sound of *job*, in pieces of about `BATCH_BYTES`."""
    if job.arriving:
        yield from filter(None, ffmpeg.decode_arriving(ArrivingFile(frames), job.limits))
        return
    batch = bytearray()
    for pcm in _pieces(job, frames):
        batch += pcm
        if len(batch) >= BATCH_BYTES:
            yield bytes(batch)
            batch.clear()
    if batch:
        yield bytes(batch)


def _pieces(job: Job, frames: BlockingFrames) -> Iterator[bytes]:
    deadline = DecodingDeadline(UNLIMITED)
    if job.size is None:
        yield from ffmpeg.decode(_upload(frames), job.limits, deadline)
        return
    with closing(ffmpeg.opened(job.size, _fetching(frames), job.limits, deadline)) as sound:
        frames.send(SECONDS, dump_seconds(sound.seconds))
        yield from sound.pcm()


def _upload(frames: BlockingFrames) -> bytes:
    data = bytearray()
    while (frame := frames.receive())[0] == DATA:
        data += frame[1]
    return bytes(data)


def _fetching(frames: BlockingFrames) -> Fetch:
    def fetch(start: int, count: int) -> bytes:
        frames.send(FETCH, FETCH_RANGE.pack(start, count))
        return frames.receive()[1]

    return fetch
