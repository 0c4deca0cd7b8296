"""How long recognition is waited for: as long as it says something."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from dataclasses import dataclass

import pytest

from tests.sound import silence, voice_like
from tests.virtual_time import in_virtual_time
from voice_core.domain.errors import StageTimedOut
from voice_core.domain.speech import Hints, Interim, Transcript
from voice_core.ports.providers import SpeechToText
from voice_core.usecases.resilience.deadlines import WHOLE, Deadline
from voice_core.usecases.resilience.fallback import FallbackStt
from voice_core.usecases.turn.listen import listen

SECONDS = 10.0


@dataclass
class SlowStt:
    """Says each of *interims*, *pause_seconds* apart, once it has all of the utterance; then it is silent as long."""

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


async def heard(stt: SpeechToText, utterance_seconds: int = 11, sound: bytes = b"") -> tuple[list[str], float]:
    """The texts that come of an utterance, or else of *sound*, that is there at once, and when the last does."""

    async def utterance() -> AsyncGenerator[bytes]:
        yield sound or voice_like() * utterance_seconds

    final = Deadline("stt", SECONDS)
    texts = [item.text async for item in listen(utterance(), Hints(), stt=stt, final=final)]
    return texts, asyncio.get_running_loop().time()


def test_recognition_that_goes_on_is_waited_for() -> None:
    """For as long as the utterance needs: what is limited is the silence between two interims."""
    words = ["one", "one two", "one two three", "one two three four"]

    texts, ends = in_virtual_time(heard(SlowStt(words, SECONDS - 1)))

    assert texts == [*words, "the end"]
    assert ends == pytest.approx(45.0, abs=0.1)


def test_recognition_that_falls_silent_is_given_up() -> None:
    """When it has said nothing for the length of the deadline, also before it said anything."""
    for words in ((), ("one",)):
        with pytest.raises(StageTimedOut):
            in_virtual_time(heard(SlowStt(words, SECONDS + 1)))


def test_a_pause_in_the_utterance_is_no_silence_of_the_service() -> None:
    """It has nothing to say about the pause, which it may hear as slowly as it was made; then it has the deadline."""
    sound = voice_like() + silence(30.0) + voice_like()

    texts, _ = in_virtual_time(heard(SlowStt((), 30.0 + SECONDS - 1), sound=sound))

    assert texts == ["the end"]
    with pytest.raises(StageTimedOut):
        in_virtual_time(heard(SlowStt((), 30.0 + SECONDS + 1), sound=sound))


def test_recognition_that_trickles_has_an_end() -> None:
    """Interims that each come in time are not waited for for ever: the length of the sound limits them."""
    stt = SlowStt([str(number) for number in range(1000)], 1.0)

    async def ends() -> float:
        with pytest.raises(StageTimedOut):
            await heard(stt, utterance_seconds=5)
        return asyncio.get_running_loop().time()

    assert in_virtual_time(ends()) == pytest.approx(WHOLE * SECONDS + 5, abs=1.0)


def test_an_interim_that_says_nothing_new_is_a_sign_of_life_only() -> None:
    """The service is waited for, and its words are shown once."""
    assert in_virtual_time(heard(SlowStt(["one"] * 4, SECONDS - 1)))[0] == ["one", "the end"]


def test_a_second_provider_hears_what_the_first_was_silent_about() -> None:
    """The first has half of the deadline for its first word, and the second the other half."""
    first, second = SlowStt([], SECONDS), SlowStt(["one", "one two"], SECONDS * 0.4)

    texts, _ = in_virtual_time(heard(FallbackStt(first, second, SECONDS)))

    assert texts == ["one", "one two", "the end"]
    assert (first.calls, second.calls) == (1, 1)


def test_a_first_provider_that_goes_on_keeps_the_utterance() -> None:
    """Its interims come in time, so the second is never asked."""
    first, second = SlowStt(["one", "one two"], SECONDS * 0.4), SlowStt([], 0.0)

    texts, _ = in_virtual_time(heard(FallbackStt(first, second, SECONDS)))

    assert texts == ["one", "one two", "the end"]
    assert second.calls == 0
