"""Frames on the socket between a worker process and a decoder process: a kind, a length and that many bytes."""

import json
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from voice_core.audio.limits import Limits
from voice_core.domain.errors import InvalidAudio, TooLarge, UnsupportedFormat, VoiceError

HEADER = struct.Struct("!cI")
FETCH_RANGE = struct.Struct("!QI")
"""Offset and number of bytes."""

MOST_BYTES = 1 << 20
"""Longest payload of a frame."""

JOB, DATA, END = b"J", b"D", b"E"
"""From the worker: what to decode; bytes of the recording; its end."""

TAKEN, FETCH, SECONDS, PCM, DONE, REFUSED = b"T", b"F", b"S", b"P", b"Z", b"R"
"""From the decoder: it has the job; a range to read; the length by the recording's index; sound; its end; the error."""

_SECONDS = struct.Struct("!d")
_REFUSALS: Mapping[str, type[VoiceError]] = {
    kind.__name__: kind for kind in (InvalidAudio, TooLarge, UnsupportedFormat)
}
_LONGEST_DETAIL = 500


class ConnectionEnded(Exception):
    """The other end of the socket is closed."""


class InvalidFrame(Exception):
    """An invalid frame; the decoder process is no longer trusted."""


@dataclass(frozen=True, slots=True)
class Job:
    """The work of one decoder process: an upload whose bytes are sent, or a file of *size* bytes that is fetched."""

    limits: Limits
    arriving: bool = False
    """Whether to decode the upload while it arrives."""
    size: int | None = None

    def dump(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def parse(cls, data: bytes) -> "Job":
        members = json.loads(data)
        return cls(**members | {"limits": Limits(**members["limits"])})


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    return HEADER.pack(kind, len(payload)) + payload


def parse_header(data: bytes) -> tuple[bytes, int]:
    """The kind of a frame and the length of its payload.

    Raises:
        InvalidFrame: the payload is too long.
    """
    kind, length = HEADER.unpack(data)
    if length > MOST_BYTES:
        raise InvalidFrame(f"a frame of {length} bytes")
    return kind, length


def dump_seconds(seconds: float | None) -> bytes:
    return _SECONDS.pack(seconds or 0.0)


def parse_seconds(data: bytes) -> float | None:
    """The length of a recording; None when its index has none."""
    try:
        (seconds,) = _SECONDS.unpack(data)
    except struct.error as error:
        raise InvalidFrame("not a length") from error
    return seconds or None


def dump_refusal(error: VoiceError) -> bytes:
    return json.dumps({"error": type(error).__name__, "detail": str(error), "code": error.code}).encode()


def parse_refusal(data: bytes) -> VoiceError:
    """The error that a decoder reports.

    Raises:
        InvalidFrame: it is not an error of decoding.
    """
    try:
        members: dict[str, Any] = json.loads(data)
        kind, detail, code = _REFUSALS[members["error"]], str(members["detail"]), str(members["code"])
    except (ValueError, TypeError, LookupError) as error:
        raise InvalidFrame("an error that decoding does not have") from error
    return kind(detail[:_LONGEST_DETAIL], code=code)


class BlockingFrames:
    """The decoder's end of the socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, kind: bytes, payload: bytes = b"") -> None:
        """Send a payload of any length, in several frames if necessary.

        Raises:
            ConnectionEnded: the worker has closed its end.
        """
        try:
            for start in range(0, max(1, len(payload)), MOST_BYTES):
                self._connection.sendall(frame(kind, payload[start : start + MOST_BYTES]))
        except OSError as error:
            raise ConnectionEnded from error

    def receive(self) -> tuple[bytes, bytes]:
        """The next frame.

        Raises:
            ConnectionEnded: the worker has closed its end.
        """
        kind, length = parse_header(self._exactly(HEADER.size))
        return kind, self._exactly(length)

    def finish(self) -> None:
        """Send no more, and read what the worker still sends: a reset would take the last frames with it."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
            while self._connection.recv(MOST_BYTES):
                pass

    def _exactly(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            try:
                piece = self._connection.recv(count - len(data))
            except OSError as error:
                raise ConnectionEnded from error
            if not piece:
                raise ConnectionEnded
            data += piece
        return bytes(data)
