"""The audio decoders survive damaged recordings: the short form of ``make fuzz``."""

import asyncio
from collections import Counter
from pathlib import Path

from tests.hygiene.broken_worker import CRASHES, HANGS
from tests.hygiene.damage import damaged
from tests.hygiene.fuzz import FuzzRun, table
from tests.hygiene.recordings import recordings
from voice_core.audio.ffmpeg import decode
from voice_core.audio.limits import DecodingDeadline, Limits

MUTATIONS = 2_500


async def test_no_damage_does_harm(tmp_path: Path) -> None:
    """A damaged recording is decoded or refused with a typed error: no crash, no hang, no growing memory."""
    report = await FuzzRun(MUTATIONS, jobs=2, folder=tmp_path).run()

    assert len(report.results) == MUTATIONS
    assert report.harmless, table(report)
    assert Counter(one.outcome for one in report.results)["decoded"] > MUTATIONS // 10, table(report)


def test_crashes_and_hangs_are_reported(tmp_path: Path) -> None:
    """A worker that crashes or hangs is reported with its mutation, whose bytes are stored; the others still run."""
    run = FuzzRun(8, jobs=1, folder=tmp_path, worker="tests.hygiene.broken_worker", timeout_seconds=5.0)
    report = asyncio.run(run.run())

    assert (list(report.crashed), report.hung) == ([CRASHES], [HANGS])
    assert "signal 11" in report.crashed[CRASHES]
    assert [one.number for one in report.results] == [0, 1, 3, 5, 6, 7]
    assert not report.harmless
    assert {file.name for file in tmp_path.iterdir()} == {f"1-{CRASHES}", f"1-{HANGS}"}


def test_damage_is_the_same_every_time() -> None:
    """A mutation can be generated again from its seed and number."""
    files = list(recordings().values())

    assert [damaged(1, number, files) for number in range(50)] == [damaged(1, number, files) for number in range(50)]
    assert damaged(2, 0, files) != damaged(1, 0, files)


def test_every_recording_is_damaged() -> None:
    """A few hundred mutations use each of the recordings as an original."""
    files = list(recordings().values())

    assert {damaged(1, number, files)[0] for number in range(500)} == set(range(len(files)))


def test_undamaged_recordings_decode() -> None:
    """Each recording can be decoded before it is damaged."""
    for data in recordings().values():
        assert decode(data, Limits(), DecodingDeadline(10.0))
