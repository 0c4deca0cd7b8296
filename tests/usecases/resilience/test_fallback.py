"""Who answers when the first does not."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Sequence

import pytest

from tests.eventually import PATIENCE_SECONDS
from tests.scripted import ScriptedAssistant, ScriptedStt, ScriptedTts
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import InvalidAudio, Misconfigured, NoSpeech, ReplyRefused, StageFailed, VoiceError
from voice_core.domain.speech import Hints, Interim, Transcript, Voice
from voice_core.usecases.resilience.circuit_breaker import CircuitBreaker
from voice_core.usecases.resilience.fallback import (
    BufferedUtterance,
    FallbackAssistant,
    FallbackStt,
    FallbackTts,
    PersistentAssistant,
)
from voice_core.usecases.resilience.guarded import Guard, GuardedAssistant, GuardedStt, GuardedTts
from voice_core.usecases.resilience.retry import RetryBudget

BROKEN = StageFailed("It broke.", stage="assistant")
SECONDS = 0.1
"""A stage's deadline where it is kept to its end; elsewhere it is not needed."""
PCM = [bytes([number]) * 3200 for number in range(10)]


class Warmed:
    warmed = 0

    async def warm(self, _: object = None) -> None:
        self.warmed += 1


class WarmAssistant(Warmed, ScriptedAssistant):
    """Counts how often it is warmed."""


class WarmStt(Warmed, ScriptedStt):
    """Likewise."""


class WarmTts(Warmed, ScriptedTts):
    """Likewise."""


class Mute(ScriptedTts):
    async def voices(self) -> Sequence[Voice]:
        raise BROKEN


class Deaf(ScriptedStt):
    """Fails while the user speaks."""

    async def transcribe(self, utterance: AsyncIterable[bytes], hints: Hints) -> AsyncGenerator[Interim | Transcript]:
        async for _ in utterance:
            raise BROKEN
        yield Interim("")


class Once(ScriptedAssistant):
    """Fails the first time."""

    async def reply(self, said: str, history: Sequence[Turn]) -> AsyncGenerator[str]:
        async for piece in super().reply(said, history):
            if len(self.told) == 1:
                raise BROKEN
            yield piece


async def spoken(*pieces: bytes, then: Exception | None = None) -> AsyncGenerator[bytes]:
    for piece in pieces:
        yield piece
        await asyncio.sleep(0)
    if then:
        raise then


async def said(assistant: FallbackAssistant | PersistentAssistant) -> str:
    return "".join([piece async for piece in assistant.reply("Hello.", ())])


async def heard(stt: FallbackStt, utterance: AsyncGenerator[bytes]) -> Transcript:
    *_, last = [item async for item in stt.transcribe(utterance, Hints())]
    assert isinstance(last, Transcript)
    return last


@pytest.mark.parametrize("error", [BROKEN, Misconfigured("Who are you?", stage="assistant")], ids=lambda e: e.code)
async def test_a_reply_that_does_not_begin_is_anothers(error: VoiceError) -> None:
    """Whatever keeps the first from its first word."""
    first, second = ScriptedAssistant(failure=error), ScriptedAssistant("Second.")
    assert await said(FallbackAssistant(first, second, 10)) == "Second."


async def test_a_reply_that_has_begun_is_not_begun_again() -> None:
    """What was delivered stands: nobody hears two beginnings."""
    first, second = ScriptedAssistant(failure=BROKEN, fails_after=2), ScriptedAssistant("Second.")
    with pytest.raises(StageFailed):
        await said(FallbackAssistant(first, second, 10))
    assert second.told == []


async def test_an_assistant_that_hangs_leaves_time_for_another() -> None:
    """The first has a part of the deadline only."""
    first, second = ScriptedAssistant(hangs_after=0), ScriptedAssistant("Second.")
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await said(FallbackAssistant(first, second, SECONDS)) == "Second."
    assert first.cancelled


async def test_a_refusal_is_an_answer() -> None:
    """What one content filter stops is not shown to another."""
    first, second = ScriptedAssistant(failure=ReplyRefused("No.")), ScriptedAssistant("Second.")
    with pytest.raises(ReplyRefused):
        await said(FallbackAssistant(first, second, 10))
    assert second.told == []


async def test_the_seconds_error_is_told() -> None:
    """When both fail, the caller hears of the last."""
    second = ScriptedAssistant(failure=StageFailed("Broken too.", stage="assistant"))
    with pytest.raises(StageFailed, match="Broken too"):
        await said(FallbackAssistant(ScriptedAssistant(failure=BROKEN), second, 10))


async def test_closing_it_closes_whoever_speaks() -> None:
    """A caller that leaves stops the first, or the second."""
    first, second = ScriptedAssistant(), ScriptedAssistant()
    for assistant, speaks in (
        (FallbackAssistant(first, second, 10), first),
        (FallbackAssistant(ScriptedAssistant(failure=BROKEN), second, 10), second),
    ):
        reply = assistant.reply("Hello.", ())
        await anext(reply)
        await reply.aclose()
        assert speaks.cancelled


async def test_a_sentence_that_is_not_spoken_is_spoken_elsewhere() -> None:
    """Each sentence for itself; one that breaks off in the middle stays broken."""
    second = ScriptedTts()
    tts = FallbackTts(ScriptedTts(failure=BROKEN, fails_at=1), second, 10)
    for sentence in ("One.", "Two."):
        assert sum([len(pcm) async for pcm in tts.synthesize(sentence, None)])
    assert second.spoken == ["Two."]


async def test_voices_are_those_of_whoever_tells() -> None:
    """A list that cannot be had from the first is had from the second."""
    assert await FallbackTts(Mute(), ScriptedTts(), 10).voices()


async def test_whoever_will_answer_is_warmed() -> None:
    """While the first's breaker is open, connections to the second are opened ahead."""
    breaker = CircuitBreaker("stt", failures=1, seconds=60)
    breaker.unwell(breaker.begin("stt"), 60)
    guard = Guard("stt", breaker, patience_seconds=1)
    assistant, stt, tts = WarmAssistant(), WarmStt(), WarmTts()
    await FallbackAssistant(GuardedAssistant(ScriptedAssistant(), guard), assistant, 10).warm()
    await FallbackStt(GuardedStt(ScriptedStt(), guard), stt, 10).warm(Hints())
    await FallbackTts(GuardedTts(ScriptedTts(), guard), tts, 10).warm(None)
    assert (assistant.warmed, stt.warmed, tts.warmed) == (1, 1, 1)


async def test_an_utterance_is_heard_from_its_beginning() -> None:
    """What the first had listened to before it failed, the second hears too, and then the rest."""
    first, second = ScriptedStt(failure=BROKEN), ScriptedStt("Heard again.")
    assert (await heard(FallbackStt(first, second, 10), spoken(*PCM))).text == "Heard again."
    assert second.heard_bytes == sum(map(len, PCM))


async def test_an_utterance_under_way_goes_on() -> None:
    """A first that fails while the user still speaks costs not a word."""

    second = ScriptedStt("All of it.")
    assert (await heard(FallbackStt(Deaf(), second, 10), spoken(*PCM))).text == "All of it."
    assert second.heard_bytes == sum(map(len, PCM))


async def test_a_recognition_that_hangs_leaves_time_for_another() -> None:
    """Counted from the end of the utterance: somebody who speaks for long is not cut off."""
    first, second = ScriptedStt(hangs=True), ScriptedStt("Second.")
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert (await heard(FallbackStt(first, second, SECONDS), spoken(*PCM))).text == "Second."
    assert first.cancelled


async def test_what_was_delivered_is_not_heard_again() -> None:
    """After an interim the first is on its own."""
    first, second = ScriptedStt(interims=["what"], failure=BROKEN), ScriptedStt()
    with pytest.raises(StageFailed):
        await heard(FallbackStt(first, second, 10), spoken(*PCM))
    assert second.calls == 0


@pytest.mark.parametrize("error", [NoSpeech("Nothing was said."), InvalidAudio("No sound.")], ids=lambda e: e.code)
async def test_the_callers_own_mistakes_come_through(error: VoiceError) -> None:
    """Silence and broken sound are not another provider's business."""
    second = ScriptedStt()
    with pytest.raises(type(error)):
        await heard(FallbackStt(ScriptedStt(), second, 10), spoken(*PCM, then=error))
    assert second.calls == 0


async def test_a_reader_that_leaves_does_not_end_the_utterance() -> None:
    """The next begins at the beginning, whether or not the first had read it to the end."""
    kept = BufferedUtterance(spoken(*PCM))
    reader = kept.again()
    assert await anext(reader) == PCM[0]
    await reader.aclose()
    for _ in range(2):
        assert [pcm async for pcm in kept.again()] == PCM
    await kept.aclose()


async def test_one_failure_before_the_first_word_goes_unnoticed() -> None:
    """The assistant is asked once more, soon."""

    assistant = Once("Well again.")
    assert await said(PersistentAssistant(assistant, RetryBudget())) == "Well again."
    assert len(assistant.told) == 2


async def test_a_reply_that_breaks_off_is_not_asked_for_again() -> None:
    """There would be two beginnings."""
    assistant = ScriptedAssistant(failure=BROKEN, fails_after=2)
    with pytest.raises(StageFailed):
        await said(PersistentAssistant(assistant, RetryBudget()))
    assert len(assistant.told) == 1
