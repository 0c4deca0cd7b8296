"""The sound of an open container, converted to mono 16-bit PCM at 16 kHz."""

from collections.abc import Container, Generator, Iterator

import av

from voice_core.audio.bare_frames import has_other_frames
from voice_core.audio.ffmpeg_input import Input
from voice_core.audio.ffmpeg_track import Track, sound_streams
from voice_core.audio.limits import DecodingDeadline, Limits
from voice_core.audio.other_recordings import SEARCHED_BYTES, check_end, goes_on
from voice_core.audio.track_choice import TrackChoice
from voice_core.domain.errors import InvalidAudio, UnsupportedFormat, VoiceError

_BARE_FRAMES = {"mp3": "mp3", "aac": "aac", "loas": "latm"}
"""The kind of frames of each format without a container, by FFmpeg's name of the format."""

_LONGEST_FRAME_BYTES = 1_729
"""Longest frame of MPEG audio (ISO 11172-3: layer II, 384 kbit/s, 32 kHz), and longer than AAC's usually are."""


class Decoder:
    """One pass through a container."""

    def __init__(self, source: Input, indexed: bool, limits: Limits, deadline: DecodingDeadline) -> None:
        self._input = source
        self._streams = tuple(sound_streams(source.container))
        self._tracks = [Track(stream, indexed, limits) for stream in self._streams]
        self._deadline = deadline

    def pcm(self) -> Iterator[bytes]:
        """Mono 16-bit PCM at 16 kHz: the sound of the only track, or of the first one that has any."""
        if len(self._tracks) == 1:
            (track,) = self._tracks
            for packet in self._packets():
                yield from track.pcm(packet)
        else:
            track = yield from self._chosen()
        yield track.finish()

    def promised_seconds(self) -> float:
        """Length by the container's index, seconds; 0 when it has none."""
        return self._tracks[0].promised_seconds()

    def _chosen(self) -> Generator[bytes, None, Track]:
        """The sound of the track that is chosen, which is returned; its end is still to come."""
        choice = TrackChoice(len(self._tracks))
        tracks = {track.index: number for number, track in enumerate(self._tracks)}
        failed: dict[int, VoiceError] = {}
        chosen: int | None = None
        for packet in self._packets():
            number = tracks[packet.stream.index]
            if chosen is not None:
                if number == chosen:
                    yield from self._tracks[chosen].pcm(packet)
                continue
            if number in failed:
                continue
            try:
                choice.add(number, b"".join(self._tracks[number].pcm(packet)))
            except (InvalidAudio, UnsupportedFormat) as error:
                failed[number] = error
                if len(failed) == len(self._tracks):
                    raise failed[0] from None
            if choice.full:
                chosen, pcm = choice.window(self._whole(failed), final=False)
                yield pcm
        if chosen is None:
            chosen, pcm = choice.window(self._whole(failed), final=True)
            yield pcm
        return self._tracks[chosen or 0]

    def _whole(self, failed: Container[int]) -> list[int]:
        """Numbers of the tracks that have not failed."""
        return [number for number in range(len(self._tracks)) if number not in failed]

    def _packets(self) -> "Iterator[av.Packet[av.AudioStream]]":
        kind = _BARE_FRAMES.get(self._input.container.format.name)
        end = 0
        try:
            for packet in self._input.container.demux(self._streams):
                self._deadline.check()
                # FFmpeg cannot cut frames of another kind: behind MP3 or LATM it returns many of them as one packet.
                if kind and packet.size > _LONGEST_FRAME_BYTES and has_other_frames(bytes(packet), kind):
                    raise goes_on()
                end = (packet.pos or end) + packet.size
                yield packet
        except av.FFmpegError:
            # The sound before may still be most of the recording: the length decides.
            for track in self._tracks:
                track.add_damage()
        self._input.check()
        if kind:
            check_end(self._input.read(end, SEARCHED_BYTES), kind)
