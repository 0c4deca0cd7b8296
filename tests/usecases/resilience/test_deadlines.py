"""Deadlines of recognition: it may take long as long as it keeps returning interim transcripts."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from dataclasses import dataclass

import pytest

from fakes.sound import silence, voice_like
from tests.virtual_time import in_virtual_time
from voice_core.domain.errors import StageTimedOut
from voice_core.domain.speech import Hints, Interim, Transcript
from voice_core.ports.providers import SpeechToText
from voice_core.usecases.resilience.deadlines import TOTAL_FACTOR, Deadline
from voice_core.usecases.resilience.fallback import FallbackStt
from voice_core.usecases.turn.listen import listen

SECONDS = 10.0


@dataclass
class SlowStt:
    """Returns *interims* and then a transcript, each after *pause_seconds*, once it has all of the utterance."""

    interims: Sequence[str]
    pause_seconds: float
    calls: int = 0

    async def warm(self, hints: Hints) -> None:
        """Nothing to open."""

    async def transcribe(self, utterance: AsyncIterable[bytes], hints: Hints) -> AsyncGenerator[Interim | Transcript]:
        self.calls += 1
        async for _ in utterance:
            pass
        for text in self.interims:
            await asyncio.sleep(self.pause_seconds)
            yield Interim(text)
        await asyncio.sleep(self.pause_seconds)
        yield Transcript("the end", "en-US")


async def recognised(stt: SpeechToText, utterance_seconds: int = 11, sound: bytes = b"") -> tuple[list[str], float]:
    """The texts recognised in *sound*, or in an utterance of *utterance_seconds*, and the loop's time at the last.

    The sound arrives all at once.
    """

    async def utterance() -> AsyncGenerator[bytes]:
        yield sound or voice_like() * utterance_seconds

    final = Deadline("stt", SECONDS)
    texts = [item.text async for item in listen(utterance(), Hints(), stt=stt, final=final)]
    return texts, asyncio.get_running_loop().time()


def test_recognition_that_continues_is_waited_for() -> None:
    """Only the silence between two interim transcripts is limited, not the whole recognition."""
    words = ["one", "one two", "one two three", "one two three four"]

    texts, ends = in_virtual_time(recognised(SlowStt(words, SECONDS - 1)))

    assert texts == [*words, "the end"]
    assert ends == pytest.approx(45.0, abs=0.1)


def test_recognition_that_falls_silent_times_out() -> None:
    """Recognition that returns nothing for the length of the deadline times out, also before its first interim."""
    for words in ((), ("one",)):
        with pytest.raises(StageTimedOut):
            in_virtual_time(recognised(SlowStt(words, SECONDS + 1)))


def test_a_pause_in_the_utterance_extends_the_deadline() -> None:
    """Recognition may be silent for as long as the pause lasts, and then for the deadline."""
    sound = voice_like() + silence(30.0) + voice_like()

    texts, _ = in_virtual_time(recognised(SlowStt((), 30.0 + SECONDS - 1), sound=sound))

    assert texts == ["the end"]
    with pytest.raises(StageTimedOut):
        in_virtual_time(recognised(SlowStt((), 30.0 + SECONDS + 1), sound=sound))


def test_the_total_time_of_recognition_is_limited() -> None:
    """Interims that each arrive in time end after four deadlines and the length of the sound."""
    stt = SlowStt([str(number) for number in range(1000)], 1.0)

    async def ends() -> float:
        with pytest.raises(StageTimedOut):
            await recognised(stt, utterance_seconds=5)
        return asyncio.get_running_loop().time()

    assert in_virtual_time(ends()) == pytest.approx(TOTAL_FACTOR * SECONDS + 5, abs=1.0)


def test_a_repeated_interim_is_only_a_sign_of_life() -> None:
    """A repeated interim restarts the deadline, and its words are shown once."""
    assert in_virtual_time(recognised(SlowStt(["one"] * 4, SECONDS - 1)))[0] == ["one", "the end"]


def test_the_second_provider_transcribes_when_the_first_is_silent() -> None:
    """The first provider has half of the deadline for its first word, and the second has the other half."""
    first, second = SlowStt([], SECONDS), SlowStt(["one", "one two"], SECONDS * 0.4)

    texts, _ = in_virtual_time(recognised(FallbackStt(first, second, SECONDS)))

    assert texts == ["one", "one two", "the end"]
    assert (first.calls, second.calls) == (1, 1)


def test_the_second_provider_is_not_called_without_need() -> None:
    """While the interims of the first provider arrive in time, the second is never called."""
    first, second = SlowStt(["one", "one two"], SECONDS * 0.4), SlowStt([], 0.0)

    texts, _ = in_virtual_time(recognised(FallbackStt(first, second, SECONDS)))

    assert texts == ["one", "one two", "the end"]
    assert second.calls == 0
