"""One sound track of an open container, converted to mono 16-bit PCM at 16 kHz."""

from collections.abc import Iterator

import av
from av.codec.context import Flags2
from av.container import InputContainer

from voice_core.audio.downmix import Downmix, Samples
from voice_core.audio.limits import MOST_LAYOUTS, Limits, changes_too_often, empty
from voice_core.audio.pcm import Resampler, scaled
from voice_core.audio.pcm_layout import check_sound
from voice_core.domain.audio import RECOGNITION_RATE, SAMPLE_BYTES
from voice_core.domain.errors import InvalidAudio, UnsupportedFormat

CODECS = (
    "aac,aac_latm,alac,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,flac,mp3,mp3float,mp2,mp2float,mp1,mp1float,"
    "opus,libopus,vorbis,speex,gsm,gsm_ms,g722,adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,pcm_s8,pcm_u8,pcm_alaw,pcm_mulaw,"
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be"
)
"""The codecs that FFmpeg may decode, by its names."""

MOST_TRACKS = 4
"""Tracks that are decoded to find the one with the sound: screen recorders write two or three."""

_MOST_PLANES = 8
"""From so many planar channels on, PyAV (18.1) reads past the end of a frame's list of planes, and crashes."""

_MOST_DAMAGED = 2_000
"""Damaged packets after which decoding gives up: half of a long utterance."""

_LEAST_SHARE = 0.5
"""Least share of the packets, and of the announced length, that must decode: otherwise we reply to half a sentence."""


class Track:
    """The sound of one *stream*, packet by packet."""

    def __init__(self, stream: av.AudioStream, indexed: bool, limits: Limits) -> None:
        self.index = stream.index
        self._stream = stream
        self._indexed = indexed
        self._limits = limits
        self._shape, self._shapes = (0, 0), 0
        self._downmix, self._resampler = Downmix(RECOGNITION_RATE, 1), Resampler(RECOGNITION_RATE)
        self._read = self._damaged = 0
        self._frame_seconds = self._ends = 0.0
        self._pcm_bytes = 0
        self._last = b""
        """The sound of the last frame, which may be padding."""

    def pcm(self, packet: "av.Packet[av.AudioStream]") -> Iterator[bytes]:
        """The sound that is complete with *packet*.

        Raises:
            InvalidAudio: ``audio-unreadable``; too many packets are damaged, or the format changes too often.
            TooLarge: ``audio-too-long``.
            UnsupportedFormat: ``audio-format-unsupported``.
        """
        self._read += 1
        try:
            for frame in self._stream.decode(packet):
                yield self._last
                self._last = self._converted(frame)
                self._pcm_bytes += len(self._last)
                self._limits.check_pcm(self._pcm_bytes)
        except av.FFmpegError as error:
            self.add_damage()
            if self._damaged > _MOST_DAMAGED:
                raise _damaged() from error

    def add_damage(self) -> None:
        """Count a packet that cannot be read."""
        self._damaged += 1

    def finish(self) -> bytes:
        """The end of the sound.

        Raises:
            InvalidAudio: ``audio-empty``, ``audio-unreadable`` or ``audio-truncated``; too little could be decoded.
        """
        tail = self._resampler.finish()
        last = self._last + tail
        self._check((self._pcm_bytes + len(tail)) / (RECOGNITION_RATE * SAMPLE_BYTES))
        return last[: max(0, len(last) - self._padding())]

    def promised_seconds(self) -> float:
        """Length by the container's index, seconds; 0 when it has none."""
        duration, base = self._stream.duration, self._stream.time_base
        return float(duration * base) if self._indexed and duration and base else 0.0

    def _converted(self, frame: av.AudioFrame) -> bytes:
        shape = (frame.sample_rate, frame.layout.nb_channels)
        tail = b""
        if shape != self._shape:
            check_sound(*shape)
            self._shapes += 1
            if self._shapes > MOST_LAYOUTS:
                raise changes_too_often()
            tail = self._resampler.finish()
            self._shape = shape
            self._downmix, self._resampler = Downmix(*shape), Resampler(frame.sample_rate)
        seconds = frame.samples / frame.sample_rate
        # A packet can inflate to minutes of sound: refuse it before they are converted.
        self._limits.check_seconds(seconds)
        self._frame_seconds = max(self._frame_seconds, seconds)
        self._ends = (frame.time or 0.0) + seconds
        return tail + self._resampler.feed(self._downmix.mono(_samples(frame)))

    def _check(self, seconds: float) -> None:
        promised = self.promised_seconds()
        if not seconds and not self._damaged and not promised:
            raise empty()
        if not seconds or self._damaged > self._read * (1 - _LEAST_SHARE):
            raise _damaged()
        if seconds < promised * _LEAST_SHARE:
            detail = f"The recording should last {promised:.1f} seconds but ends after {seconds:.1f}. Send all of it."
            raise InvalidAudio(detail, code="audio-truncated")

    def _padding(self) -> int:
        """Bytes at the end that only fill the codec's last frame, if the file has the exact length; otherwise 0."""
        promised, started = self.promised_seconds(), self._stream.start_time or 0
        surplus = self._ends - float(started * (self._stream.time_base or 0)) - promised
        return round(surplus * RECOGNITION_RATE) * SAMPLE_BYTES if promised and 0 < surplus < self._frame_seconds else 0


def sound_streams(container: InputContainer) -> list[av.AudioStream]:
    """The streams of sound that can be decoded, at most `MOST_TRACKS`.

    Raises:
        InvalidAudio: ``audio-missing``.
        UnsupportedFormat: ``audio-format-unsupported``.
    """
    streams = container.streams.audio
    if not streams:
        detail = "The file has no audio track. Record with a microphone, and send the recorder's file."
        raise InvalidAudio(detail, code="audio-missing")
    # FFmpeg itself applies its list of codecs only while it opens the file.
    codecs = CODECS.split(",")
    known = [stream for stream in streams if stream.codec_context and stream.codec_context.codec.name in codecs]
    if not known:
        detail = "The audio codec is not supported. Record as AAC, Opus, MP3, FLAC or PCM."
        raise UnsupportedFormat(detail, code="audio-format-unsupported")
    if container.format.name == "caf":
        return [_untrimmed(stream) for stream in known]
    return known[:MOST_TRACKS]


def _untrimmed(stream: av.AudioStream) -> av.AudioStream:
    """*stream* without FFmpeg's trimming of the end: the last packet of ALAC in CAF is short already."""
    if stream.codec_context.codec.name == "alac":
        stream.codec_context.flags2 |= Flags2.skip_manual
    return stream


def _damaged() -> InvalidAudio:
    return InvalidAudio("Most of the recording is damaged. Send it again.")


def _samples(frame: av.AudioFrame) -> Samples:
    """A decoded frame of any sample format, shape (n, channels)."""
    if frame.format.is_planar and frame.layout.nb_channels >= _MOST_PLANES:
        frame = _interleaved(frame)
    array = frame.to_ndarray()
    return scaled(array.T if frame.format.is_planar else array.reshape(-1, frame.layout.nb_channels))


def _interleaved(frame: av.AudioFrame) -> av.AudioFrame:
    """*frame* with its channels interleaved."""
    interleaved = av.AudioResampler("flt", frame.layout, frame.sample_rate).resample(frame)
    return interleaved[0]
