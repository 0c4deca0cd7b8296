"""The sound of an open container, converted to mono 16-bit PCM at 16 kHz."""

from collections.abc import Container, Generator, Iterator

import av
from av.container import InputContainer

from voice_core.audio.ffmpeg_track import Track, sound_streams
from voice_core.audio.limits import DecodingDeadline, Limits
from voice_core.audio.track_choice import TrackChoice
from voice_core.domain.errors import InvalidAudio, UnsupportedFormat, VoiceError


class Decoder:
    """One pass through a container."""

    def __init__(self, container: InputContainer, indexed: bool, limits: Limits, deadline: DecodingDeadline) -> None:
        self._container = container
        self._streams = tuple(sound_streams(container))
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
        try:
            for packet in self._container.demux(self._streams):
                self._deadline.check()
                yield packet
        except av.FFmpegError:
            # The sound before may still be most of the recording: the length decides.
            for track in self._tracks:
                track.add_damage()
