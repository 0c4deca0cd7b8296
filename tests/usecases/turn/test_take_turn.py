"""The turn: its events, their order, and what is stored when a stage fails or the caller disconnects."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import pytest

from fakes.eventually import HANG_SECONDS, eventually
from fakes.scripted_ports import ScriptedAssistant, ScriptedConversations, ScriptedStt, ScriptedTts
from fakes.sound import silence, voice_like
from tests.virtual_time import in_virtual_time
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import InvalidAudio, NoSpeech, ReplyRefused, StageFailed, VoiceError
from voice_core.domain.events import (
    Event,
    ReplyDelta,
    ReplyDone,
    SpeechDelta,
    SpeechDone,
    TranscriptDelta,
    TranscriptDone,
    TurnCreated,
    TurnDone,
    TurnFailed,
)
from voice_core.usecases.resilience.deadlines import Deadlines
from voice_core.usecases.turn.request import TurnRequest
from voice_core.usecases.turn.services import TurnServices
from voice_core.usecases.turn.take_turn import take_turn


class Room:
    """A user and scripted services."""

    def __init__(self) -> None:
        self.stt = ScriptedStt()
        self.assistant = ScriptedAssistant()
        self.tts = ScriptedTts()
        self.conversations = ScriptedConversations()
        self.deadlines = Deadlines()
        self.request = TurnRequest(user_id="u", turn_id="t1", conversation_id="c1", begins=True, text="hello")

    def speaks(self, pcm: bytes | None = None, *, then: Exception | None = None) -> None:
        self.request = replace(self.request, utterance=utterance(pcm or voice_like(), then), text="")

    def turn(self) -> AsyncGenerator[Event]:
        services = TurnServices(
            stt=self.stt,
            assistant=self.assistant,
            tts=self.tts,
            conversations=self.conversations,
            deadlines=self.deadlines,
        )
        return take_turn(self.request, services)

    async def events(self) -> list[Event]:
        return [event async for event in self.turn()]

    async def until(self, kind: type[Event]) -> list[Event]:
        """The turn's events up to the first of *kind*; then the caller disconnects."""
        seen: list[Event] = []
        async with aclosing(self.turn()) as turn:
            async for event in turn:
                seen.append(event)
                if isinstance(event, kind):
                    break
        return seen

    @property
    def stored(self) -> list[Turn]:
        return self.conversations.all_turns


async def utterance(pcm: bytes, then: Exception | None = None) -> AsyncGenerator[bytes]:
    for start in range(0, len(pcm), 3200):
        yield pcm[start : start + 3200]
    if then:
        raise then


@pytest.fixture
def room() -> Room:
    return Room()


def failure(events: list[Event]) -> VoiceError:
    last = events[-1]
    assert isinstance(last, TurnFailed)
    return last.error


def done(events: list[Event]) -> Turn:
    last = events[-1]
    assert isinstance(last, TurnDone)
    return last.turn


async def test_a_spoken_turn_sends_all_events_in_order(room: Room) -> None:
    """Created, interims, transcript, reply and speech, done: each once and in that order."""
    room.speaks()
    room.stt.interims = ["what is", "what is the weather"]

    events = await room.events()

    kinds = [type(event) for event in events]
    assert kinds[:4] == [TurnCreated, TranscriptDelta, TranscriptDelta, TranscriptDone]
    assert kinds[-1] is TurnDone
    for once in (TurnCreated, TranscriptDone, ReplyDone, SpeechDone, TurnDone):
        assert kinds.count(once) == 1
    assert kinds.index(ReplyDone) < kinds.index(TurnDone)
    assert kinds.index(SpeechDone) > max(n for n, kind in enumerate(kinds) if kind is SpeechDelta)


async def test_a_typed_turn_needs_no_recognition(room: Room) -> None:
    """The reply to typed text is spoken, and recognition is not called."""
    events = await room.events()

    assert room.stt.calls == 0
    assert not [event for event in events if isinstance(event, TranscriptDone)]
    assert done(events).transcript == "hello"
    assert [event for event in events if isinstance(event, SpeechDelta)]


async def test_the_reply_is_the_sum_of_its_deltas(room: Room) -> None:
    """The deltas, the finished text and the stored turn have the same text."""
    events = await room.events()

    pieces = "".join(event.text for event in events if isinstance(event, ReplyDelta))
    assert pieces == room.assistant.reply_text == done(events).reply == room.stored[0].reply


@pytest.mark.parametrize("reply", ["word " * 100_000, "x" * 500_000, "```" + "x" * 500_000])
async def test_a_reply_without_end_is_ended(room: Room, reply: str) -> None:
    """A model that ignores its limit of tokens is cut off at a length that no such limit reaches; the turn is whole."""
    room.assistant.reply_text = reply
    events = await room.events()

    assert done(events).reply == reply[:4_800] == room.stored[0].reply
    assert not done(events).interrupted


async def test_sentences_are_spoken_in_order_and_completely(room: Room) -> None:
    """Every sentence's speech comes before the next one's, none is lost, and samples are complete."""
    room.tts.odd_chunks = True

    events = await room.events()

    speech = [event for event in events if isinstance(event, SpeechDelta)]
    assert [event.seq for event in speech] == list(range(len(speech)))
    assert all(len(event.pcm) % 2 == 0 for event in speech)
    samples = memoryview(b"".join(event.pcm for event in speech)).cast("h").tolist()
    assert samples == sorted(samples)
    assert set(samples) == {1, 2, 3, 4}
    assert [event.sentence for event in speech if event.sentence] == [
        "It is sunny today.",
        "Take a hat with you.",
        "Enjoy the day.",
        "Goodbye now.",
    ]


async def test_speech_begins_before_the_reply_is_written(room: Room) -> None:
    """The first sentence is spoken while the assistant is still writing the second."""
    room.assistant.hangs_after = 6

    seen = await asyncio.wait_for(room.until(SpeechDelta), HANG_SECONDS)

    assert not [event for event in seen if isinstance(event, ReplyDone)]


async def test_two_sentences_are_synthesised_at_once(room: Room) -> None:
    """Two sentences are in synthesis at once, and never more."""
    room.tts.first_seconds = 0.01

    await room.events()

    assert room.tts.most_at_once == 2


async def test_markdown_and_emoji_are_not_spoken(room: Room) -> None:
    """The reply keeps its Markdown and emoji; synthesis gets plain words."""
    room.assistant.reply_text = "Use **bold** words. 😀"

    events = await room.events()

    assert room.tts.spoken == ["Use bold words."]
    assert done(events).reply == "Use **bold** words. 😀"


async def test_a_turn_without_speech_calls_no_synthesis(room: Room) -> None:
    """A turn that is requested without speech has none."""
    room.request = replace(room.request, aloud=False)

    events = await room.events()

    assert room.tts.spoken == []
    assert not [event for event in events if isinstance(event, SpeechDelta | SpeechDone)]


@pytest.mark.parametrize("pcm", [silence(2.0), voice_like(0.08), b""], ids=["silence", "slip", "nothing"])
async def test_silence_calls_no_provider(room: Room, pcm: bytes) -> None:
    """An utterance without speech causes no paid call, and nothing is stored."""
    room.request = replace(room.request, utterance=utterance(pcm), text="")

    error = failure(await room.events())

    assert isinstance(error, NoSpeech)
    assert (room.stt.calls, room.assistant.requests, room.tts.spoken, room.stored) == (0, [], [], [])


async def test_silence_before_speech_is_recognised_too(room: Room) -> None:
    """The speech gate passes all of an utterance that begins with silence."""
    pcm = silence(1.0) + voice_like(1.0)
    room.speaks(pcm)

    await room.events()

    assert room.stt.heard_bytes == len(pcm)


async def test_an_unreadable_utterance_ends_the_turn(room: Room) -> None:
    """An error of the upload is the error of the turn; no later stage is called, and nothing is stored."""
    room.speaks(then=InvalidAudio("broken"))

    error = failure(await room.events())

    assert error.code == "audio-unreadable"
    assert (room.assistant.requests, room.stored) == ([], [])


async def test_failed_recognition_ends_the_turn(room: Room) -> None:
    """When recognition fails, no later stage is called, and nothing is stored."""
    room.speaks()
    room.stt.failure = StageFailed("away", stage="stt")

    error = failure(await room.events())

    assert (error.stage, error.retryable) == ("stt", True)
    assert (room.assistant.requests, room.tts.spoken, room.stored) == ([], [], [])


async def test_a_failed_assistant_keeps_the_transcript(room: Room) -> None:
    """When the assistant fails, the transcript is in the error and in the conversation."""
    room.speaks()
    room.assistant.failure = StageFailed("away", stage="assistant")

    error = failure(await room.events())

    assert error.extra["transcription"] == room.stt.text
    assert [(turn.transcript, turn.reply, turn.interrupted) for turn in room.stored] == [(room.stt.text, "", True)]


async def test_an_assistant_that_fails_midway_keeps_its_text(room: Room) -> None:
    """When the assistant fails midway, its text so far is in the error and in the conversation."""
    room.assistant.failure, room.assistant.fails_after = StageFailed("away", stage="assistant"), 5

    error = failure(await room.events())

    assert error.extra["responseText"] == "It is sunny today. Take"
    assert [turn.reply for turn in room.stored] == ["It is sunny today. Take"]


async def test_a_refused_prompt_is_not_stored(room: Room) -> None:
    """A refused prompt is not stored, because as history it would have every later prompt refused too."""
    room.assistant.failure = ReplyRefused("no", stage="assistant")

    error = failure(await room.events())

    assert error.code == "reply-refused"
    assert room.stored == []


@pytest.mark.parametrize("fails_at", [0, 1, 3])
async def test_failed_speech_keeps_the_text(room: Room, fails_at: int) -> None:
    """When synthesis fails, the turn is done with all its text and the speech so far, and is marked as degraded."""
    room.tts.failure, room.tts.fails_at = StageFailed("away", stage="tts"), fails_at

    events = await room.events()

    assert done(events).degraded == ("speech",)
    assert done(events).reply == room.assistant.reply_text == room.stored[0].reply
    spoken = {event.sentence for event in events if isinstance(event, SpeechDelta)} - {""}
    assert len(spoken) == fails_at


async def test_an_unavailable_store_degrades_the_turn(room: Room) -> None:
    """When the conversation store fails, the turn is done, and is marked as degraded."""
    room.request = replace(room.request, begins=False)
    room.conversations.failure = StageFailed("away", stage="conversations")

    assert done(await room.events()).degraded == ("conversation",)


async def test_an_unknown_conversation_ends_the_turn_first(room: Room) -> None:
    """A conversation that does not exist ends the turn before any paid call."""
    room.speaks()
    room.request = replace(room.request, begins=False)

    error = failure(await room.events())

    assert error.code == "conversation-not-found"
    assert (room.stt.calls, room.assistant.requests) == (0, [])


async def test_the_assistant_gets_the_history(room: Room) -> None:
    """The second turn of a conversation sends the first to the assistant."""
    await room.events()
    room.request = replace(room.request, turn_id="t2", text="and then", begins=False)

    await room.events()

    text, history = room.assistant.requests[-1]
    assert (text, [turn.transcript for turn in history]) == ("and then", ["hello"])


async def test_a_repeated_turn_is_stored_once(room: Room) -> None:
    """A turn repeated under its id changes nothing in the conversation."""
    await room.events()
    await room.events()

    assert len(room.stored) == 1


@pytest.mark.parametrize(
    ("stage", "seconds"),
    [("stt", Deadlines(stt=2.0)), ("assistant", Deadlines(assistant=2.0)), ("tts", Deadlines(tts=2.0))],
    ids=["stt", "assistant", "tts"],
)
def test_each_stage_has_its_deadline(room: Room, stage: str, seconds: Deadlines) -> None:
    """A stage that hangs ends at its deadline, as that stage's failure or degradation."""
    room.speaks()
    room.deadlines = seconds
    room.stt.hangs = stage == "stt"
    room.assistant.hangs_after = 0 if stage == "assistant" else None
    room.tts.first_seconds = 60.0 if stage == "tts" else 0.0

    events = in_virtual_time(room.events())

    if stage == "tts":
        assert done(events).degraded == ("speech",)
    else:
        assert (failure(events).code, failure(events).stage) == ("stage-timed-out", stage)


def test_a_slow_reply_has_a_total_deadline(room: Room) -> None:
    """A reply whose tokens each come in time still ends at a total deadline; its text so far is in the error."""
    room.deadlines = Deadlines(assistant=2.0)
    room.assistant.tokens_per_second = 1
    room.assistant.reply_text = "and so on " * 100

    events = in_virtual_time(room.events())

    assert (failure(events).code, failure(events).stage) == ("stage-timed-out", "assistant")
    assert failure(events).extra["responseText"].startswith("and so on")


def test_the_deadline_of_stt_starts_after_the_utterance(room: Room) -> None:
    """The deadline of recognition counts from the end of the utterance."""
    room.deadlines = Deadlines(stt=2.0)

    async def slow() -> AsyncGenerator[bytes]:
        for _ in range(4):
            await asyncio.sleep(3.0)
            yield voice_like(0.2)

    room.request = replace(room.request, utterance=slow(), text="")

    assert done(in_virtual_time(room.events()))


async def test_a_disconnect_during_the_reply_stores_its_delivered_part(room: Room) -> None:
    """A disconnect cancels the calls in progress, and the delivered words are stored."""
    room.assistant.hangs_after = 5
    seen = []
    async with aclosing(room.turn()) as turn:
        async for event in turn:
            seen.append(event)
            if len([event for event in seen if isinstance(event, ReplyDelta)]) == 4:
                break

    assert room.assistant.cancelled
    assert [(turn.reply, turn.interrupted) for turn in room.stored] == [("It is sunny", True)]


async def test_a_disconnect_during_the_utterance_stores_nothing(room: Room) -> None:
    """A disconnect before the transcript cancels recognition, and nothing is stored."""
    room.speaks()
    room.stt.interims = ["what"]

    await room.until(TranscriptDelta)

    assert room.stt.cancelled
    assert room.stored == []


async def test_a_disconnect_cancels_every_synthesis(room: Room) -> None:
    """A disconnect stops the synthesis of all sentences."""
    room.tts.real_time_factor = 1.0

    await room.until(SpeechDelta)

    assert room.tts.at_once == 0


async def test_a_complete_reply_that_was_not_delivered_is_not_stored(room: Room) -> None:
    """When the reply is delivered complete at the end, a disconnect before stores nothing."""
    room.request = replace(room.request, delivery="whole")

    await room.until(SpeechDelta)

    assert room.stored == []


async def test_a_disconnect_during_speech_stores_its_begun_sentences(room: Room) -> None:
    """When only speech is delivered, a disconnect stores the sentences whose speech had begun to be delivered."""
    room.request = replace(room.request, delivery="speech")
    seen = 0
    async with aclosing(room.turn()) as turn:
        async for event in turn:
            seen += isinstance(event, SpeechDelta) and bool(event.sentence)
            if seen == 3:
                break

    assert [turn.reply for turn in room.stored] == ["It is sunny today. Take a hat with you."]


async def test_cancelling_the_task_is_a_disconnect(room: Room) -> None:
    """Cancelling the consumer cancels the calls in progress, and the delivered words are stored."""
    room.assistant.hangs_after = 2
    task = asyncio.create_task(room.events())
    await eventually(lambda: room.assistant.requests)
    for _ in range(20):
        await asyncio.sleep(0)

    task.cancel()
    await asyncio.wait({task})

    assert room.assistant.cancelled
    assert [turn.reply for turn in room.stored] == ["It is"]


async def test_the_timings_of_the_stages_add_up(room: Room) -> None:
    """stt, assistant and tts follow one another and make up the time to first audio."""
    room.speaks()
    room.stt.final_seconds, room.assistant.first_seconds, room.tts.first_seconds = 0.02, 0.03, 0.01

    timings = done(await room.events()).timings

    assert timings["stt"] >= 19
    assert timings["assistant"] >= 29
    assert timings["tts"] >= 9
    assert abs(timings["stt"] + timings["assistant"] + timings["tts"] - timings["firstAudio"]) <= 2
    assert timings["total"] >= timings["firstAudio"]
