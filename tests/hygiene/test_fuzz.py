"""Damaged recordings at the door for sound: the short form of ``make fuzz``."""

import asyncio
from collections import Counter
from pathlib import Path

from tests.hygiene.broken_worker import CRASHES, HANGS
from tests.hygiene.damage import damaged
from tests.hygiene.fuzz import Fuzzing, table
from tests.hygiene.recordings import recordings
from voice_core.audio.ffmpeg import decode
from voice_core.audio.limits import DecodingDeadline, Limits

MUTATIONS = 2_500


async def test_no_damage_does_harm(tmp_path: Path) -> None:
    """Whatever happens to a recording ends in sound or in a typed error: no crash, no hang, no growing memory."""
    report = await Fuzzing(MUTATIONS, jobs=2, kept=tmp_path).run()

    assert len(report.told) == MUTATIONS
    assert report.harmless, table(report)
    assert Counter(one.outcome for one in report.told)["decoded"] > MUTATIONS // 10, table(report)


def test_harm_would_be_noticed(tmp_path: Path) -> None:
    """A worker that dies or falls silent is told of with its mutation, whose bytes are kept; the others go on."""
    fuzzing = Fuzzing(8, jobs=1, kept=tmp_path, worker="tests.hygiene.broken_worker", patience_seconds=5.0)
    report = asyncio.run(fuzzing.run())

    assert (list(report.crashed), report.hung) == ([CRASHES], [HANGS])
    assert "signal 11" in report.crashed[CRASHES]
    assert [one.number for one in report.told] == [0, 1, 3, 5, 6, 7]
    assert not report.harmless
    assert {file.name for file in tmp_path.iterdir()} == {f"1-{CRASHES}", f"1-{HANGS}"}


def test_damage_is_the_same_every_time() -> None:
    """A mutation's seed and number are all that is needed to make it again."""
    files = list(recordings().values())

    assert [damaged(1, number, files) for number in range(50)] == [damaged(1, number, files) for number in range(50)]
    assert damaged(2, 0, files) != damaged(1, 0, files)


def test_every_recording_is_damaged_in_its_turn() -> None:
    """A few hundred mutations begin as each of the files there are."""
    files = list(recordings().values())

    assert {damaged(1, number, files)[0] for number in range(500)} == set(range(len(files)))


def test_the_recordings_are_whole() -> None:
    """What is damaged was fine before: it is heard."""
    for data in recordings().values():
        assert decode(data, Limits(), DecodingDeadline(10.0))
