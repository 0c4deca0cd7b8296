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
"""PCM that is sent at a time: two seconds. What an arriving upload holds is sent before the decoder waits for more."""

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


class _Batch:
    """Decoded sound that is not sent yet."""

    def __init__(self, frames: BlockingFrames) -> None:
        self._frames = frames
        self._pcm = bytearray()

    def add(self, pcm: bytes) -> None:
        self._pcm += pcm
        if len(self._pcm) >= BATCH_BYTES:
            self.send()

    def send(self) -> None:
        if self._pcm:
            self._frames.send(PCM, bytes(self._pcm))
            self._pcm.clear()


def _decode(job: Job, frames: BlockingFrames) -> None:
    again = allow_cpu(0.0)
    pcm_bytes = 0
    batch = _Batch(frames)
    try:
        for pcm in _pieces(job, frames, batch):
            pcm_bytes += len(pcm)
            decoded_seconds = seconds(pcm_bytes, RECOGNITION_RATE)
            if decoded_seconds >= again:
                again = allow_cpu(decoded_seconds)
            batch.add(pcm)
    except VoiceError as refusal:
        batch.send()
        frames.send(REFUSED, dump_refusal(refusal))
    except MemoryError:
        batch.send()
        detail = "Decoding the recording takes too much memory. Send it as WAV or in a smaller piece."
        frames.send(REFUSED, dump_refusal(InvalidAudio(detail)))
    else:
        batch.send()
        frames.send(DONE)


def _pieces(job: Job, frames: BlockingFrames, batch: _Batch) -> Iterator[bytes]:
    if job.arriving:
        yield from ffmpeg.decode_arriving(ArrivingFile(frames, before_waiting=batch.send), job.limits)
        return
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
