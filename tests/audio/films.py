"""Files with pictures and several sound tracks, as cameras and screen recorders write them."""

import io
from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np
from av.container import OutputContainer

from tests.audio.sounds import ENCODER, LAYOUTS, Signal

FRAMES_PER_SECOND = 10


class SoundTrack(NamedTuple):
    codec: str
    rate: int
    sound: Signal
    """Shape (n,) or (n, channels)."""


def film(
    container: str, *tracks: SoundTrack, videos: int = 1, video_codec: str = "mpeg4", video_first: bool = True
) -> bytes:
    """A file with *videos* black video tracks and these sound tracks, a second of each in turn."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        pictures = [_video(output, video_codec) for _ in range(videos)] if video_first else []
        sounds = [_sound(output, track) for track in tracks]
        if not video_first:
            pictures = [_video(output, video_codec) for _ in range(videos)]
        seconds = max(-(-len(track.sound) // track.rate) for track in tracks)
        for second in range(seconds):
            for stream in pictures:
                _write_pictures(output, stream, second)
            for sound, track in zip(sounds, tracks, strict=True):
                _write_sound(output, sound, track, second)
        for picture in pictures:
            output.mux(picture.encode(None))
        for sound in sounds:
            output.mux(sound.encode(None))
    return file.getvalue()


def _video(output: OutputContainer, codec: str) -> av.VideoStream:
    stream = output.add_stream(codec, rate=FRAMES_PER_SECOND)
    assert isinstance(stream, av.VideoStream)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    return stream


def _sound(output: OutputContainer, track: SoundTrack) -> av.AudioStream:
    stream = output.add_stream(track.codec, rate=track.rate, layout=LAYOUTS[_channels(track)], options=ENCODER)
    assert isinstance(stream, av.AudioStream)
    return stream


def _write_pictures(output: OutputContainer, stream: av.VideoStream, second: int) -> None:
    for number in range(FRAMES_PER_SECOND):
        picture = av.VideoFrame(64, 48, "yuv420p")
        picture.pts, picture.time_base = second * FRAMES_PER_SECOND + number, Fraction(1, FRAMES_PER_SECOND)
        output.mux(stream.encode(picture))


def _write_sound(output: OutputContainer, stream: av.AudioStream, track: SoundTrack, second: int) -> None:
    for start in range(second * track.rate, min((second + 1) * track.rate, len(track.sound)), 1024):
        end = min(start + 1024, (second + 1) * track.rate)
        interleaved = track.sound[start:end].astype(np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(interleaved, format="flt", layout=LAYOUTS[_channels(track)])
        frame.sample_rate, frame.pts, frame.time_base = track.rate, start, Fraction(1, track.rate)
        output.mux(stream.encode(frame))


def _channels(track: SoundTrack) -> int:
    return 1 if track.sound.ndim == 1 else track.sound.shape[1]
