"""Interims by a quick engine, the final result by a better one: live sound gets both, an upload only the second."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from emulators.speech.engines import LanguageUnknown, Recognition, RecognitionResult, Word
from emulators.speech.processes.process import EngineDied
from emulators.speech.recognizers.interims import WithInterims
from emulators.speech.recognizers.pace import DECISION_SECONDS, LEAD_SECONDS, Pace
from fakes.eventually import eventually

RATE = 16_000
PIECE_SECONDS = 0.1
PIECE = bytes(2 * round(PIECE_SECONDS * RATE))


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Engine:
    """Counts the seconds that it has heard, and reports them as words."""

    def __init__(self, *languages: str) -> None:
        self.languages = languages or ("en-US",)
        self.heard = 0.0
        self.open = 0
        """Streams in progress."""
        self.failure: Exception | None = None
        self.stuck = False

    @asynccontextmanager
    async def listening(self, rate: int, phrases: tuple[str, ...], language: str) -> AsyncIterator[Recognition]:
        self.open += 1
        try:
            yield self
        finally:
            self.open -= 1

    async def hear(self, pcm: bytes) -> str:
        if self.failure:
            raise self.failure
        if self.stuck:
            await asyncio.Event().wait()
        self.heard += len(pcm) / 2 / RATE
        return f"{self.heard:.1f} s"

    async def finish(self) -> RecognitionResult:
        return RecognitionResult((Word(f"{self.heard:.1f}", 0.0, 0.1),))

    async def close(self) -> None:
        """Nothing was started."""


class Stream:
    """A stream of sound to a recognition by two engines, at a pace that the test sets."""

    def __init__(self, recognition: Recognition, clock: Clock) -> None:
        self.recognition = recognition
        self._clock = clock

    async def send(self, seconds: float, speed: float) -> str:
        """Send sound at *speed* times the pace of speech; the last interim."""
        interim = ""
        for _ in range(round(seconds / PIECE_SECONDS)):
            interim = await self.recognition.hear(PIECE)
            self._clock.seconds += PIECE_SECONDS / speed
        return interim

    async def interim(self, expected: str) -> None:
        """Return when the interim is *expected*."""
        await eventually(lambda: self.recognition._interims.text == expected)  # type: ignore[attr-defined]


@asynccontextmanager
async def streaming(final: Engine, quick: Engine, language: str = "en-US") -> AsyncIterator[Stream]:
    clock = Clock()
    async with WithInterims(final, quick, clock).listening(RATE, (), language) as recognition:
        yield Stream(recognition, clock)


async def test_live_sound_has_interims() -> None:
    """The quick engine hears all sound that arrives as it is spoken, and the other one has the final result."""
    final, quick = Engine(), Engine()
    async with streaming(final, quick) as stream:
        await stream.send(3.0, speed=1.0)
        await stream.interim("3.0 s")
        assert (await stream.recognition.finish()).lexical == "3.0"
    assert quick.open == 0


async def test_an_upload_is_heard_once() -> None:
    """The quick engine hears nothing of a recording that arrives much faster than it plays, long or short."""
    for seconds in (1.0, 11.0):
        final, quick = Engine(), Engine()
        async with streaming(final, quick) as stream:
            assert await stream.send(seconds, speed=100.0) == ""
            assert (await stream.recognition.finish()).lexical == f"{seconds:.1f}"
        assert quick.heard == 0.0


async def test_sound_that_was_buffered_at_first_is_live() -> None:
    """A second that was spoken before the connection was open does not make an upload of what follows."""
    final, quick = Engine(), Engine()
    async with streaming(final, quick) as stream:
        await stream.send(1.0, speed=100.0)
        await stream.send(2.0, speed=1.0)
        await stream.interim("3.0 s")


async def test_sound_that_gets_ahead_of_the_clock_becomes_an_upload() -> None:
    """A recording that arrives at twice its pace loses its interims as soon as it is further ahead than a buffer."""
    final, quick = Engine(), Engine()
    async with streaming(final, quick) as stream:
        assert await stream.send(10.0, speed=2.0) == ""
        await eventually(lambda: quick.open == 0)
    assert quick.heard < 2 * LEAD_SECONDS


async def test_each_phrase_has_its_own_interims() -> None:
    """After a final result, interims begin again with the next sound, and the quick engine was free in between."""
    final, quick = Engine(), Engine()
    async with streaming(final, quick) as stream:
        await stream.send(1.0, speed=1.0)
        await stream.interim("1.0 s")
        await stream.recognition.finish()
        assert quick.open == 0
        assert await stream.recognition.hear(b"") == ""
        await stream.send(0.5, speed=1.0)
        await stream.interim("1.5 s")


async def test_a_slow_quick_engine_does_not_delay_the_result() -> None:
    """The final result comes though the quick engine never responds."""
    final, quick = Engine(), Engine()
    quick.stuck = True
    async with streaming(final, quick) as stream:
        await stream.send(1.0, speed=1.0)
        await eventually(lambda: quick.open == 1)
        assert (await stream.recognition.finish()).lexical == "1.0"
    assert quick.open == 0


@pytest.mark.parametrize("failure", [EngineDied("it died"), LanguageUnknown("no model")], ids=repr)
async def test_a_failing_quick_engine_costs_only_interims(failure: Exception) -> None:
    """The final result comes though the quick engine fails, and nothing is logged."""
    final, quick = Engine(), Engine()
    quick.failure = failure
    async with streaming(final, quick) as stream:
        await stream.send(1.0, speed=1.0)
        assert (await stream.recognition.finish()).lexical == "1.0"


async def test_languages_of_the_final_engine_alone_have_no_interims() -> None:
    """A language that the quick engine does not have is recognised without it."""
    final, quick = Engine("fr-FR", "en-US"), Engine("en-US")
    async with streaming(final, quick, "fr-FR") as stream:
        await stream.send(1.0, speed=1.0)
        assert (await stream.recognition.finish()).lexical == "1.0"
    assert quick.heard == 0.0


def test_the_pace_is_unknown_at_first() -> None:
    """Neither live nor an upload, until a moment has passed or more has arrived than could have been buffered."""
    clock = Clock()
    pace = Pace(clock)
    pace.hear(LEAD_SECONDS)
    assert (pace.live, pace.upload) == (False, False)
    clock.seconds += DECISION_SECONDS
    assert (pace.live, pace.upload) == (True, False)
    pace.hear(DECISION_SECONDS + 0.01)
    assert (pace.live, pace.upload) == (False, True)
