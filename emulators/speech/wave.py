"""The WAV header with which a client begins its audio."""

import struct

from emulators.speech.refusals import RequestRefused

RIFF_BYTES = 12
FORMAT_BYTES = 16
CHUNK_HEAD_BYTES = 8
PCM = 1


class NotPcm(RequestRefused):
    """The audio is not 16-bit mono PCM in a WAV."""


def read_header(body: bytes) -> tuple[int, bytes]:
    """The rate in hertz from the WAV header of *body*, and the audio after the header.

    Raises:
        NotPcm: *body* does not begin with the header of a WAV with 16-bit mono PCM.
    """
    if body[:4] != b"RIFF" or body[8:12] != b"WAVE":
        raise NotPcm("audio begins with a WAV header")
    rate, at = 0, RIFF_BYTES
    while at + CHUNK_HEAD_BYTES <= len(body):
        name, size = struct.unpack_from("<4sI", body, at)
        at += CHUNK_HEAD_BYTES
        if name == b"data" and rate:
            return rate, body[at:]
        if name == b"fmt " and at + FORMAT_BYTES <= len(body):
            rate = _rate(body[at : at + FORMAT_BYTES])
        at += size + size % 2
    raise NotPcm("the WAV header has no format or no data")


def _rate(chunk: bytes) -> int:
    kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", chunk)
    if (kind, channels, bits) != (PCM, 1, 16) or not rate:
        raise NotPcm("audio must be 16-bit mono PCM")
    return int(rate)
