"""The product survives generated inputs: the short form of ``make fuzz`` and of ``make kills``."""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest

from tests.hygiene.broken_worker import CRASHES, HANGS
from tests.hygiene.damage import damaged
from tests.hygiene.decoder_kills import RIGHT, KillRun
from tests.hygiene.fuzz_run import FuzzRun
from tests.hygiene.fuzz_table import table
from tests.hygiene.kinds import KINDS, plan
from tests.hygiene.recordings import recordings
from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.joined_recordings import FORMATS
from voice_core.audio.ffmpeg import decode
from voice_core.audio.limits import DecodingDeadline, Limits

ROUNDS = 50
"""Times that the kinds are repeated by their weights."""

KILLS = 20


async def test_no_input_does_harm() -> None:
    """A generated input is accepted or refused with a typed error: no crash, no hang, no growing memory."""
    kinds = plan()
    report = await FuzzRun(ROUNDS * len(kinds), jobs=2, kinds=kinds).run()

    outcomes = Counter(one.outcome for one in report.results)
    assert report.harmless, table(report, kinds)
    assert {one.kind for one in report.results} == set(KINDS)
    assert outcomes["decoded"] > len(report.results) // 20, table(report, kinds)


def test_crashes_and_hangs_are_reported() -> None:
    """A worker that crashes or hangs is reported with its input; the other inputs still run."""
    run = FuzzRun(8, jobs=1, worker="tests.hygiene.broken_worker", timeout_seconds=5.0)
    report = asyncio.run(run.run())

    assert (list(report.crashed), report.hung) == ([CRASHES], [HANGS])
    assert "signal 11" in report.crashed[CRASHES]
    assert [one.number for one in report.results] == [0, 1, 3, 5, 6, 7]
    assert not report.harmless
    assert f"{plan()[HANGS]} {HANGS}: hangs" in table(report, plan())


async def test_no_recording_is_lost_when_others_are_killed() -> None:
    """While decoder processes of one user and spare ones are killed, another user's files are decoded exactly."""
    report = await KillRun(KILLS).run()

    assert report.kills >= KILLS
    assert report.other[RIGHT] > 1
    assert report.harmless, report.table()


@pytest.mark.parametrize("generate", FORMATS)
def test_inputs_are_the_same_every_time(generate: Callable[[Draw], bytes]) -> None:
    """An input can be generated again from its seed, kind and number."""
    seeds = [f"1:kind:{number}" for number in range(20)]

    assert [generate(Draw(seed)) for seed in seeds] == [generate(Draw(seed)) for seed in seeds]
    assert len({generate(Draw(seed)) for seed in seeds}) > 1


def test_damage_is_the_same_every_time() -> None:
    """A damaged recording can be made again from its seed and number."""
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
