"""Small runs of the benchmarks; their speed is not checked."""

from contextlib import aclosing

from benchmarks import cold_start, delays, hangup, load, turn
from voice_core.text.sentences import Sentences


def test_the_floor_matches_the_scripted_reply() -> None:
    """The reply has four sentences of 15 tokens, and each is detected as complete at its last token."""
    splitter = Sentences()
    ends = [number for number, word in enumerate(delays.REPLY.split(" "), 1) if splitter.feed(f" {word}")]

    assert ends == [15, 30, 45, 60]
    assert (round(delays.STREAMED_MS), round(delays.SEQUENTIAL_MS)) == (900, 1980)


async def test_imports_are_compared() -> None:
    """The benchmark measures the packages, the app, and the ratios of the app to the packages."""
    figures = [figure async for figure in cold_start.imports(1)]

    assert [len(figure.values) for figure in figures] == [1] * 5


async def test_turns_are_timed_over_the_floor() -> None:
    """The scripted delays pass, so no first sound comes before the floor."""
    async with (
        turn.product("scripted") as server,
        aclosing(turn.in_process(server, turn.Size(in_process=2))) as figures,
    ):
        figure = await anext(figures)

    members = figure.members()
    assert (members["n"], members["floor"]) == (2, 900)
    assert members["over_p50"] > 0


async def test_load_runs_without_failures() -> None:
    """Turns through the SDKs succeed, and memory is measured meanwhile."""
    figures = [figure async for figure in load.turns(phones=2, count=2, sample=1)]

    assert figures[0].facts["failed"] == 0
    assert [len(figure.values) for figure in figures[:1]] == [2]


async def test_services_stop_after_a_disconnect() -> None:
    """At every measured moment the services stop after the client's disconnect, from which the time counts."""
    figures = [figure async for figure in hangup.benchmark(times=1)]

    assert len(figures) == len(hangup.MOMENTS)
    assert all(figure.values[0] > 0 for figure in figures)
