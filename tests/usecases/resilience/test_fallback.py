"""The second provider replies when the first fails before its first item."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Sequence

import pytest

from fakes.eventually import HANG_SECONDS
from fakes.scripted_ports import ScriptedAssistant, ScriptedStt, ScriptedTts
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import InvalidAudio, Misconfigured, NoSpeech, ReplyRefused, StageFailed, VoiceError
from voice_core.domain.speech import Hints, Interim, Transcript, Voice
from voice_core.usecases.resilience.buffered_utterance import BufferedUtterance
from voice_core.usecases.resilience.circuit_breaker import CircuitBreaker
from voice_core.usecases.resilience.fallback import FallbackAssistant, FallbackStt, FallbackTts
from voice_core.usecases.resilience.guarded_ports import Guard, GuardedAssistant, GuardedStt, GuardedTts
from voice_core.usecases.resilience.retry import RetryBudget
from voice_core.usecases.resilience.retrying_assistant import RetryingAssistant

BROKEN = StageFailed("It broke.", stage="assistant")
SECONDS = 0.1
"""A stage's deadline in the tests that wait until it ends."""
PCM = [bytes([number]) * 3200 for number in range(10)]


class WarmCounter:
    """Counts calls of `warm`."""

    warmed = 0

    async def warm(self, _: object = None) -> None:
        self.warmed += 1


class WarmAssistant(WarmCounter, ScriptedAssistant):
    """An assistant that counts calls of `warm`."""


class WarmStt(WarmCounter, ScriptedStt):
    """Speech to text that counts calls of `warm`."""


class WarmTts(WarmCounter, ScriptedTts):
    """Text to speech that counts calls of `warm`."""


class VoicelessTts(ScriptedTts):
    """Fails to list its voices."""

    async def voices(self) -> Sequence[Voice]:
        raise BROKEN


class FailingStt(ScriptedStt):
    """Fails while the user is still speaking."""

    async def transcribe(self, utterance: AsyncIterable[bytes], hints: Hints) -> AsyncGenerator[Interim | Transcript]:
        async for _ in utterance:
            raise BROKEN
        yield Interim("")


class FlakyAssistant(ScriptedAssistant):
    """Fails on its first call, before the first word."""

    async def reply(self, text: str, history: Sequence[Turn]) -> AsyncGenerator[str]:
        async for piece in super().reply(text, history):
            if len(self.requests) == 1:
                raise BROKEN
            yield piece


async def sound(*pieces: bytes, then: Exception | None = None) -> AsyncGenerator[bytes]:
    for piece in pieces:
        yield piece
        await asyncio.sleep(0)
    if then:
        raise then


async def reply_text(assistant: FallbackAssistant | RetryingAssistant) -> str:
    return "".join([piece async for piece in assistant.reply("Hello.", ())])


async def transcript(stt: FallbackStt, utterance: AsyncGenerator[bytes]) -> Transcript:
    *_, last = [item async for item in stt.transcribe(utterance, Hints())]
    assert isinstance(last, Transcript)
    return last


@pytest.mark.parametrize("error", [BROKEN, Misconfigured("Who are you?", stage="assistant")], ids=lambda e: e.code)
async def test_the_second_assistant_replies_when_the_first_fails(error: VoiceError) -> None:
    """Any failure before the first word leads to the second assistant."""
    first, second = ScriptedAssistant(failure=error), ScriptedAssistant("Second.")
    assert await reply_text(FallbackAssistant(first, second, 10)) == "Second."


async def test_a_reply_that_has_begun_is_not_repeated() -> None:
    """Delivered words stand: the user never hears two beginnings of a reply."""
    first, second = ScriptedAssistant(failure=BROKEN, fails_after=2), ScriptedAssistant("Second.")
    with pytest.raises(StageFailed):
        await reply_text(FallbackAssistant(first, second, 10))
    assert second.requests == []


async def test_an_assistant_that_hangs_leaves_time_for_the_second() -> None:
    """The first assistant has only a share of the deadline."""
    first, second = ScriptedAssistant(hangs_after=0), ScriptedAssistant("Second.")
    async with asyncio.timeout(HANG_SECONDS):
        assert await reply_text(FallbackAssistant(first, second, SECONDS)) == "Second."
    assert first.cancelled


async def test_a_refusal_does_not_lead_to_the_second_assistant() -> None:
    """Text that one content filter refuses is not sent to another assistant."""
    first, second = ScriptedAssistant(failure=ReplyRefused("No.")), ScriptedAssistant("Second.")
    with pytest.raises(ReplyRefused):
        await reply_text(FallbackAssistant(first, second, 10))
    assert second.requests == []


async def test_the_error_of_the_second_assistant_is_raised() -> None:
    """When both assistants fail, the caller gets the error of the second."""
    second = ScriptedAssistant(failure=StageFailed("Broken too.", stage="assistant"))
    with pytest.raises(StageFailed, match="Broken too"):
        await reply_text(FallbackAssistant(ScriptedAssistant(failure=BROKEN), second, 10))


async def test_closing_the_reply_stops_the_active_assistant() -> None:
    """A caller that leaves stops the first assistant, or the second if that one replies."""
    first, second = ScriptedAssistant(), ScriptedAssistant()
    for assistant, active in (
        (FallbackAssistant(first, second, 10), first),
        (FallbackAssistant(ScriptedAssistant(failure=BROKEN), second, 10), second),
    ):
        reply = assistant.reply("Hello.", ())
        await anext(reply)
        await reply.aclose()
        assert active.cancelled


async def test_the_second_tts_speaks_a_sentence_the_first_cannot() -> None:
    """Each sentence falls back by itself; one that breaks off in the middle is not repeated."""
    second = ScriptedTts()
    tts = FallbackTts(ScriptedTts(failure=BROKEN, fails_at=1), second, 10)
    for sentence in ("One.", "Two."):
        assert sum([len(pcm) async for pcm in tts.synthesize(sentence, None)])
    assert second.spoken == ["Two."]


async def test_voices_are_listed_by_the_second_if_the_first_fails() -> None:
    """The list of voices comes from the second provider when the first cannot return it."""
    assert await FallbackTts(VoicelessTts(), ScriptedTts(), 10).voices()


async def test_the_provider_that_will_be_called_is_warmed() -> None:
    """While the first provider's breaker is open, connections to the second are opened ahead of time."""
    breaker = CircuitBreaker("stt", failures=1, seconds=60)
    breaker.record_failure(breaker.begin("stt"), 60)
    guard = Guard("stt", breaker, timeout_seconds=1)
    assistant, stt, tts = WarmAssistant(), WarmStt(), WarmTts()
    await FallbackAssistant(GuardedAssistant(ScriptedAssistant(), guard), assistant, 10).warm()
    await FallbackStt(GuardedStt(ScriptedStt(), guard), stt, 10).warm(Hints())
    await FallbackTts(GuardedTts(ScriptedTts(), guard), tts, 10).warm(None)
    assert (assistant.warmed, stt.warmed, tts.warmed) == (1, 1, 1)


async def test_the_second_stt_gets_the_utterance_from_its_beginning() -> None:
    """The second provider gets the sound that the first had read before it failed, and then the rest."""
    first, second = ScriptedStt(failure=BROKEN), ScriptedStt("Heard again.")
    assert (await transcript(FallbackStt(first, second, 10), sound(*PCM))).text == "Heard again."
    assert second.heard_bytes == sum(map(len, PCM))


async def test_a_failure_during_the_utterance_loses_no_words() -> None:
    """When the first provider fails while the user is still speaking, no word is lost."""
    second = ScriptedStt("All of it.")
    assert (await transcript(FallbackStt(FailingStt(), second, 10), sound(*PCM))).text == "All of it."
    assert second.heard_bytes == sum(map(len, PCM))


async def test_a_recognition_that_hangs_leaves_time_for_the_second() -> None:
    """The deadline counts from the end of the utterance, so a user who speaks for long is not cut off."""
    first, second = ScriptedStt(hangs=True), ScriptedStt("Second.")
    async with asyncio.timeout(HANG_SECONDS):
        assert (await transcript(FallbackStt(first, second, SECONDS), sound(*PCM))).text == "Second."
    assert first.cancelled


async def test_after_an_interim_there_is_no_second_recognition() -> None:
    """Once the first provider has delivered an interim transcript, its failure is raised."""
    first, second = ScriptedStt(interims=["what"], failure=BROKEN), ScriptedStt()
    with pytest.raises(StageFailed):
        await transcript(FallbackStt(first, second, 10), sound(*PCM))
    assert second.calls == 0


@pytest.mark.parametrize("error", [NoSpeech("Nothing was said."), InvalidAudio("No sound.")], ids=lambda e: e.code)
async def test_errors_of_the_utterance_are_raised(error: VoiceError) -> None:
    """Silence and unreadable sound do not lead to the second provider."""
    second = ScriptedStt()
    with pytest.raises(type(error)):
        await transcript(FallbackStt(ScriptedStt(), second, 10), sound(*PCM, then=error))
    assert second.calls == 0


async def test_a_reader_that_leaves_does_not_end_the_utterance() -> None:
    """The next reader begins at the beginning, whether or not the one before had read to the end."""
    buffered = BufferedUtterance(sound(*PCM))
    reader = buffered.from_start()
    assert await anext(reader) == PCM[0]
    await reader.aclose()
    for _ in range(2):
        assert [pcm async for pcm in buffered.from_start()] == PCM
    await buffered.aclose()


async def test_one_failure_before_the_first_word_is_retried() -> None:
    """The assistant is called once more, and the caller notices nothing."""
    assistant = FlakyAssistant("Well again.")
    assert await reply_text(RetryingAssistant(assistant, RetryBudget())) == "Well again."
    assert len(assistant.requests) == 2


async def test_a_reply_that_breaks_off_is_not_requested_again() -> None:
    """A second call would give the reply two beginnings."""
    assistant = ScriptedAssistant(failure=BROKEN, fails_after=2)
    with pytest.raises(StageFailed):
        await reply_text(RetryingAssistant(assistant, RetryBudget()))
    assert len(assistant.requests) == 1
