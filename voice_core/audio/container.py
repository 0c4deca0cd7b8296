"""Sound in any container but plain WAV, decoded by FFmpeg.

What is in such a file is up to whoever uploads it, so FFmpeg gets to see one named format, audio codecs only, no other
files, and a deadline at each read.
"""

import io
from collections.abc import Callable, Iterator

import av
from av.container import InputContainer

from voice_core.audio import boxes
from voice_core.audio.limits import Deadline, Limits
from voice_core.audio.pcm import Resampler, Samples, mono, scaled
from voice_core.audio.raw import check_sound
from voice_core.audio.sniff import id3_bytes, sniff
from voice_core.domain.audio import RECOGNITION_RATE, SAMPLE_BYTES
from voice_core.domain.errors import InvalidAudio

_MP4_NAMES = ("mp4", "m4a", "3gp", "mov")
_DEMUXERS = {
    **dict.fromkeys(_MP4_NAMES, "mov"),
    "wav": "wav",
    "w64": "w64",
    "aiff": "aiff",
    "au": "au",
    "caf": "caf",
    "mp3": "mp3",
    "aac": "aac",
    "latm": "loas",
    "ogg": "ogg",
    "webm": "matroska",
    "mkv": "matroska",
    "flac": "flac",
    "amr": "amr",
}
"""FFmpeg's name of each container that `sniff` knows."""

_INDEXED = (*_MP4_NAMES, "caf", "flac", "aiff", "au", "w64")
"""Containers whose header says how much sound follows; the others' lengths are guesses of FFmpeg's."""

_CODECS = (
    "aac,aac_latm,alac,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,flac,mp3,mp3float,mp2,mp2float,mp1,mp1float,"
    "opus,libopus,vorbis,speex,gsm,gsm_ms,g722,adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,pcm_s8,pcm_u8,pcm_alaw,pcm_mulaw,"
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be"
)
_OPTIONS = {
    "codec_whitelist": _CODECS,
    "protocol_whitelist": "none",
    "probesize": "1000000",
    "analyzeduration": "1000000",
    "max_streams": "32",
}

_MOST_DAMAGED = 2_000
"""Packets: half of a long utterance. Files of nothing but damage are given up here."""

_LEAST_SHARE = 0.5
"""Of the packets, and of the promised length: below that we would answer to half a sentence."""


def decode(data: bytes, limits: Limits, deadline: Deadline) -> bytes:
    """The sound of a whole file as mono 16-bit PCM at 16 kHz. Takes time: call it in a thread.

    Damaged packets are left out as long as most decode.

    Raises:
        TooLarge: ``audio-too-long``.
        UnsupportedFormat: rates or channels that we do not read.
        InvalidAudio: ``audio-missing`` without a track of sound, ``audio-empty``, ``audio-truncated``, or
            ``audio-unreadable``, also when the deadline passes.
    """
    data = data[id3_bytes(data) :]
    name = sniff(data) or "mp3"
    if name in _MP4_NAMES:
        _check_mp4(data)
    try:
        with av.open(
            _Upload(data, deadline.check),
            "r",
            format=_DEMUXERS[name],
            container_options=_OPTIONS,
            metadata_errors="replace",
        ) as container:
            return _Decoder(container, name in _INDEXED, limits, deadline).pcm()
    except (av.FFmpegError, ValueError) as error:
        raise InvalidAudio(f"the audio says it is {name} and cannot be read") from error


class _Upload(io.BytesIO):
    """The file as FFmpeg reads it, until the deadline passes."""

    def __init__(self, data: bytes, check: Callable[[], None]) -> None:
        super().__init__(data)
        self._check = check

    def read(self, size: int | None = -1, /) -> bytes:
        self._check()
        return super().read(size)


def _check_mp4(data: bytes) -> None:
    if not boxes.has_media(data):
        raise InvalidAudio("the recording has no sound in it", code="audio-empty")
    if not boxes.has_index(data):
        raise InvalidAudio("the recording ends before its index", code="audio-truncated")
    boxes.check_index(data)


class _Decoder:
    """One pass through a container."""

    def __init__(self, container: InputContainer, indexed: bool, limits: Limits, deadline: Deadline) -> None:
        self._container = container
        self._stream = _audio_stream(container)
        self._indexed = indexed
        self._limits = limits
        self._deadline = deadline
        self._shape = (0, 0)
        self._resampler = Resampler(RECOGNITION_RATE)
        self._read = self._damaged = 0

    def pcm(self) -> bytes:
        pcm = bytearray()
        for frame in self._frames():
            pcm += self._converted(frame)
            self._limits.check_pcm(len(pcm))
        pcm += self._resampler.finish()
        self._check(len(pcm) / (RECOGNITION_RATE * SAMPLE_BYTES))
        return bytes(pcm)

    def _frames(self) -> Iterator[av.AudioFrame]:
        for packet in self._packets():
            self._deadline.check()
            self._read += 1
            try:
                yield from self._stream.decode(packet)
            except av.FFmpegError as error:
                self._damaged += 1
                if self._damaged > _MOST_DAMAGED:
                    raise InvalidAudio("most of the recording is damaged") from error

    def _packets(self) -> "Iterator[av.Packet[av.AudioStream]]":
        try:
            yield from self._container.demux(self._stream)
        except av.FFmpegError:
            # What came before may still be most of it: the length decides.
            self._damaged += 1

    def _converted(self, frame: av.AudioFrame) -> bytes:
        shape = (frame.sample_rate, frame.layout.nb_channels)
        tail = b""
        if shape != self._shape:
            check_sound(*shape)
            tail = self._resampler.finish()
            self._shape, self._resampler = shape, Resampler(frame.sample_rate)
        return tail + self._resampler.feed(_samples(frame))

    def _check(self, seconds: float) -> None:
        promised = self._promised_seconds()
        if not seconds and not self._damaged:
            raise InvalidAudio("the recording has no sound in it", code="audio-empty")
        if not seconds or self._damaged > self._read * (1 - _LEAST_SHARE):
            raise InvalidAudio("most of the recording is damaged")
        if seconds < promised * _LEAST_SHARE:
            detail = f"the recording should last {promised:.1f} seconds and ends after {seconds:.1f}"
            raise InvalidAudio(detail, code="audio-truncated")

    def _promised_seconds(self) -> float:
        duration, base = self._stream.duration, self._stream.time_base
        return float(duration * base) if self._indexed and duration and base else 0.0


def _audio_stream(container: InputContainer) -> av.AudioStream:
    for stream in container.streams.audio:
        if stream.codec_context is not None:
            return stream
    raise InvalidAudio("there is no track of sound that we can decode", code="audio-missing")


def _samples(frame: av.AudioFrame) -> Samples:
    """A decoded frame of any sample format, as mono samples."""
    array = frame.to_ndarray()
    frames = array.T if frame.format.is_planar else array.reshape(-1, frame.layout.nb_channels)
    return mono(scaled(frames))
