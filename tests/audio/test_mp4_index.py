"""Indices of MP4 and MOV files that announce too much: a kilobyte must not make FFmpeg allocate gigabytes."""

import io
from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
import pytest

from tests.audio.mp4_files import box, handler, pcm, rows, table, track, within
from tests.audio.sounds import encoded, read
from voice_core.audio.containers import mp4
from voice_core.audio.containers.mp4_boxes import MAX_BOXES
from voice_core.audio.containers.mp4_index import MOST_ENTRIES, check_index
from voice_core.audio.limits import Limits
from voice_core.audio.ranged_decoder import LargeSound
from voice_core.domain.errors import InvalidAudio, TooLarge

HOURS = 4 * 3_600
"""Seconds of the longest clip."""

BIG = 2**31 - 1


def moov(*tracks: bytes) -> bytes:
    return box(b"moov", *tracks)


def fragment(*counts: int) -> bytes:
    return box(b"moof", box(b"traf", table(b"tfhd", 1), *(table(b"trun", count) for count in counts)))


def video(frames: int) -> bytes:
    tables = (
        rows(b"stts", (frames, 1)),
        rows(b"stsc", (1, frames, 1)),
        table(b"stsz", 1, frames),
        rows(b"stco", (44,)),
    )
    return track(*tables, kind=b"vide")


ENDLESS: dict[str, bytes] = {
    "one chunk of PCM": moov(track(*pcm(BIG, 1))),
    "many chunks of PCM": moov(track(*pcm(BIG, 41))),
    "64-bit offsets": moov(track(*pcm(BIG, 1)).replace(b"stco", b"co64")),
    "tracks that add up": moov(*(track(*pcm(300_000 * 1024, 1)) for _ in range(4))),
    "ticks that FFmpeg takes for one": moov(track(*pcm(BIG, 1, ticks=2**32 - 1))),
    "packets of GSM": moov(track(table(b"stsd", 1, 36, int.from_bytes(b"agsm")), *pcm(400_000 * 1024, 1))),
    "packets that a description makes short": moov(
        track(table(b"stsd", 1, 72, int.from_bytes(b"sowt"), 0, 1, 1 << 16, 0, 0, 0, 0, 160), *pcm(400_000 * 1024, 1))
    ),
    "runs that do not follow one another": moov(
        track(rows(b"stsc", (5, 1, 1), (3, BIG, 1)), rows(b"stco", (44,), (44,)), rows(b"stts", (1, 1)))
    ),
    "a run without an end": moov(track(rows(b"stsc", (1, 1, 1), (2, BIG, 1)), *pcm(1, 2)[2:], rows(b"stts", (1, 1)))),
    "a fragment": moov(track(*pcm(1, 1))) + fragment(MOST_ENTRIES),
    "fragments that add up": moov(track(*pcm(1, 1)))
    + fragment(MOST_ENTRIES // 4) * 2
    + fragment(*[MOST_ENTRIES // 4] * 2),
    "many fragments for many tracks": moov(*[track(*pcm(1, 1))] * 20) + box(b"moof") * (MOST_ENTRIES // 20),
    "a film": moov(video(2**26)),
    "a film beside PCM": moov(track(*pcm(1, 1)), video(2**26)),
    "a constant size": moov(track(rows(b"stts", (2**26, 1024)), table(b"stsz", 1, 2**26))),
    "compact sizes": moov(track(rows(b"stts", (2**26, 1024)), table(b"stz2", 8, 2**26))),
    "edits that repeat it": moov(track(*pcm(300_000 * 1024, 1), rows(b"elst", *[(9, 0, 1 << 16)] * 5))),
    "more edits than said": moov(track(*pcm(1, 1), table(b"elst", 1, *range(3 * 20)))),
    "defaults of many tracks": moov(track(*pcm(1, 1)), box(b"mvex", table(b"trex", 1, 1, 0, 0, 0) * 200)),
    "a packed index": moov(box(b"cmov", bytes(40))),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_an_index_without_an_end_is_refused(name: str) -> None:
    """More entries than four hours of sound have are refused, in any kind of table and number of tracks."""
    with pytest.raises(InvalidAudio, match="index") as refused:
        read(ENDLESS[name] + box(b"mdat", bytes(64)))
    assert refused.value.code == "audio-unreadable"


@pytest.mark.parametrize("name", ["many chunks of PCM", "a fragment"])
async def test_clips_are_looked_at_as_well(name: str) -> None:
    """The index of a recording that is read in pieces is checked before FFmpeg sees it, behind any number of boxes."""
    file = moov(track(*pcm(1, 1))) + box(b"free") * (MAX_BOXES + 1) + ENDLESS[name] + box(b"mdat", bytes(64))

    async def piece(start: int, count: int) -> bytes:
        return file[start : start + count]

    with pytest.raises(InvalidAudio, match="index"):
        await anext(LargeSound(len(file), piece, Limits()).pcm())


def test_a_handler_that_is_not_the_tracks_own_does_not_count() -> None:
    """A video track does not count as PCM because a box that FFmpeg ignores calls it sound."""
    decoy = box(b"trak", box(b"mdia", handler(b"soun")))
    disguised = track(*(rows(b"stts", (2**26, 1)), table(b"stsz", 1, 2**26)), kind=b"vide", first=box(b"free", decoy))
    for index in (moov(disguised), moov(decoy, disguised), disguised):
        with pytest.raises(InvalidAudio, match="index"):
            check_index(index)


def test_tables_are_not_torn_apart() -> None:
    """Bytes named as a track within a track do not split its tables."""
    times, runs, *rest = pcm(BIG, 1)
    with pytest.raises(InvalidAudio, match="index"):
        check_index(moov(track(times, runs, box(b"free", b"trak"), *rest)))


def test_tables_by_the_thousand_are_refused() -> None:
    """Thousands of tables that claim all the following bytes are refused without reading each."""
    with pytest.raises(InvalidAudio, match="index"):
        check_index(moov(track(*[table(b"stsc", 2**20)] * 10_000)))


@pytest.mark.parametrize(
    "tracks",
    [
        [track(*pcm(24_000, 2 * HOURS))],
        [track(*pcm(24_000, 2 * HOURS)), box(b"udta", b"a trip by amtrak")],
        [track(*pcm(24_000, 2 * HOURS), rows(b"elst", (1, 0, 1 << 16)))],
        [track(rows(b"stts", (HOURS * 50, 960)), table(b"stsz", 0, HOURS * 50))],
        [track(*pcm(24_000, 600)), video(300 * 60)],
        [video(300 * 60), track(*pcm(24_000, 600)), track(*pcm(24_000, 600))],
    ],
    ids=["PCM", "PCM with a title", "PCM with an edit", "Opus", "camera", "camera with two microphones"],
)
def test_hours_are_not_too_much(tracks: Sequence[bytes]) -> None:
    """PCM is counted by its chunks, track by track: hours of it are accepted, with or without video."""
    check_index(moov(*tracks))


def test_what_a_camera_records_is_heard() -> None:
    """A video with more than a million samples of PCM, as cameras write it, is decoded to its end."""
    seconds, rate = 22, 48_000
    file = io.BytesIO()
    with av.open(file, "w", format="mov") as output:
        film = output.add_stream("mpeg4", rate=10)
        assert isinstance(film, av.VideoStream)
        film.width, film.height, film.pix_fmt = 64, 48, "yuv420p"
        sound = output.add_stream("pcm_s16le", rate=rate, layout="mono")
        assert isinstance(sound, av.AudioStream)
        for second in range(seconds):
            for tenth in range(10):
                picture = av.VideoFrame(64, 48, "yuv420p")
                picture.pts, picture.time_base = 10 * second + tenth, Fraction(1, 10)
                output.mux(film.encode(picture))
            frame = av.AudioFrame.from_ndarray(np.full((1, rate), 1000, "<i2"), format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, second * rate, Fraction(1, rate)
            output.mux(sound.encode(frame))
        output.mux([*film.encode(None), *sound.encode(None)])
    assert len(read(file.getvalue())) == pytest.approx(seconds * 32_000, abs=200)


def test_long_pcm_is_refused_for_its_length_alone() -> None:
    """A PCM MOV beyond the limit is refused as too long, not as damaged."""
    file = encoded("mov", "pcm_s16le", 8_000, sound=np.zeros((62 * 8_000, 1)))
    with pytest.raises(TooLarge):
        read(file)


HIDDEN = {
    "keys": table(b"keys", 2**28),
    "items": table(b"iloc", 2**28, version=2),
    "item names": table(b"iinf", 2**28, version=1),
    "groups": table(b"sgpd", int.from_bytes(b"sync"), 1, BIG, version=1),
    "fragments": table(b"sidx", 1, 1_000, 0, 0, 0xFFFF),
    "random access": box(b"mfra", table(b"tfra", 1, 0, 2**31)),
    "an index in an empty box": box(b"hoov", box(b"mvhd", bytes(100))),
}


@pytest.mark.parametrize("place", [b"moov", b"trak", b"stbl", b"stsd", b"traf"])
@pytest.mark.parametrize("name", HIDDEN)
def test_ffmpeg_is_not_shown_what_no_sound_needs(name: str, place: bytes) -> None:
    """Boxes for which FFmpeg would allocate as much as they claim are hidden, wherever they are, and nothing moves."""
    fragments = {"movflags": "frag_keyframe+empty_moov"} if place == b"traf" else None
    file = within(encoded("mp4", "aac", 24_000, seconds=0.2, options=fragments), place, HIDDEN[name])
    kind = HIDDEN[name][4:8]
    shown = mp4.hiding(io.BytesIO(file))(0, file)
    assert kind in file
    assert kind not in shown
    assert len(shown) == len(file)


def test_pieces_are_shown_as_the_whole_is() -> None:
    """For pieces of any size the media are unchanged, and the same names are hidden as in the complete file."""
    file = within(encoded("mp4", "aac", 24_000, seconds=0.2), b"mdat", b"keys")
    file = within(file, b"moov", HIDDEN["keys"])
    hide = mp4.hiding(io.BytesIO(file))
    whole = hide(0, file)
    assert whole.count(b"keys") == 1
    for size in (1_000, 1_001, 1_002, 1_003):
        joined = b"".join(hide(at, file[at : at + size + 15])[:size] for at in range(0, len(file), size))
        assert len(joined) == len(file)
        assert joined.count(b"keys") == 1
