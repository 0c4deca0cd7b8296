"""Processing of clips, with every store in memory: its results, and that each is created once whatever happens."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count

import pytest

from fakes.memory_clip_stores import CONVERSATION, NAME, RULES, MortalWorker, WorkerDeath, World, recording
from fakes.sound import silence
from fakes.tone_words import script
from voice_core.audio.limits import Limits
from voice_core.domain.errors import ReplyRefused, StageFailed
from voice_core.usecases.clip.process_clip import process_clip

SECONDS = 14.0
PCM, SAID = script(SECONDS)
WORDS = " ".join(said.text for said in SAID)


async def done(world: World | None = None, **members: object) -> World:
    """A world in which a clip has been processed."""
    world = world or World()
    await world.open(recording(PCM), **members)
    await process_clip(NAME, world.worker())
    return world


async def test_a_clip_becomes_a_transcript_a_reply_and_a_turn() -> None:
    """The transcript has every word once, the reply and its speech are stored, and one turn points at them."""
    world = await done()

    assert world.clip.status == "done"
    assert " ".join(world.text().split()) == WORDS
    assert world.artefacts.stored[NAME, "reply.txt"] == b"All is well."
    assert len(world.speeches.complete) == 1
    (turn,) = world.turns
    assert (turn.id, turn.clip_id, turn.conversation_id) == (NAME.clip_id, NAME.clip_id, CONVERSATION)
    assert (turn.transcript, turn.reply) == (WORDS, "All is well.")


async def test_times_are_those_of_the_recording() -> None:
    """The times of words and phrases in the JSON and in the captions are exact to within 30 ms."""
    world = await done()
    document = json.loads(world.artefacts.stored[NAME, "transcript.json"])
    words = [word for phrase in document["phrases"] for word in phrase["words"]]
    phrases = [(phrase["startMs"], phrase["endMs"]) for phrase in document["phrases"]]
    captions = CUE.findall(world.artefacts.stored[NAME, "transcript.vtt"].decode())
    shown = [text.split() for *_, text in captions]

    assert [word["text"] for word in words] == [said.text for said in SAID]
    assert apart([word["startMs"] / 1000 for word in words], [said.start for said in SAID]) < 0.03
    assert apart([word["endMs"] / 1000 for word in words], [said.end for said in SAID]) < 0.03
    assert phrases == [(phrase["words"][0]["startMs"], phrase["words"][-1]["endMs"]) for phrase in document["phrases"]]
    assert document["durationMs"] == round(len(PCM) / 32)
    firsts = [SAID[sum(map(len, shown[:number]))] for number in range(len(shown))]
    lasts = [SAID[sum(map(len, shown[: number + 1])) - 1] for number in range(len(shown))]
    assert apart([seconds(start) for start, *_ in captions], [said.start for said in firsts]) < 0.03
    assert apart([seconds(end) for _, end, _ in captions], [said.end for said in lasts]) < 0.03


CUE = re.compile(r"(\S+) --> (\S+)\n(.+)")


def seconds(clock: str) -> float:
    hours, minutes, rest = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def apart(these: Sequence[float], those: Sequence[float]) -> float:
    """The largest difference between a value and its counterpart."""
    return max(abs(this - that) for this, that in zip(these, those, strict=True))


async def test_processing_a_clip_again_changes_nothing() -> None:
    """Three deliveries give one reply and one turn, and transcribe every segment once."""
    world = await done()
    before = dict(world.artefacts.stored)
    for _ in range(2):
        await process_clip(NAME, world.worker())

    assert world.artefacts.stored == before
    assert len(world.assistant.requests) == len(world.conversations.all_turns) == 1
    assert set(world.stt.billed.values()) == {1}


async def test_without_a_reply_there_is_only_a_transcript() -> None:
    """The assistant is not called, and the conversation does not change."""
    world = await done(reply=False)

    assert (world.clip.status, world.clip.transcribed) == ("done", True)
    assert not world.assistant.requests
    assert not world.conversations.all_turns


async def test_long_speech_is_summarised() -> None:
    """A long transcript is sent with instructions and the user's notes; a short one is sent alone."""
    short = await done()
    rules = replace(RULES, long_characters=10, summary_prompt="Summarise:")
    long = await done(World(rules=rules), notes="For my boss.")

    assert short.assistant.requests[0][0] == WORDS
    assert long.assistant.requests[0][0] == f"Summarise:\n\nFor my boss.\n\n{WORDS}"


async def test_segments_are_transcribed_concurrently() -> None:
    """As many segments are transcribed at once as the rules allow, and no more."""
    world = World(rules=replace(RULES, at_once=3))
    world.stt.seconds = 0.02
    await done(world)

    assert world.stt.most_at_once == 3


@pytest.mark.parametrize("after", [False, True])
async def test_a_worker_may_die_at_any_call(after: bool) -> None:
    """The next worker continues where one died: there is one result, and no stored segment is paid for twice."""
    for number in count(1):
        world = World(rules=replace(RULES, claim_seconds=0.05))
        await world.open(recording(PCM))
        mortal = MortalWorker(number, after=after)
        with suppress(WorkerDeath):
            await process_clip(NAME, world.worker(mortal))
        if mortal.calls < number:
            break
        under_way = world.rules.at_once
        for _ in range(3):
            await process_clip(NAME, world.worker())
        where = (number, mortal.names[number - 1])

        assert world.clip.status == "done", where
        assert " ".join(world.text().split()) == WORDS, where
        assert len(world.conversations.all_turns) == 1, where
        assert sum(world.stt.billed.values()) <= len(world.stt.billed) + under_way, where
        assert max(world.stt.billed.values()) <= 2, where
    assert number > 30


async def test_a_failed_segment_is_retried() -> None:
    """A segment that fails with a transient error is tried once more within the same attempt."""
    world = World()
    world.stt.failures = [StageFailed("Away.", stage="stt")]
    await done(world)

    assert (world.clip.status, world.clip.attempts) == ("done", 1)


async def test_a_long_outage_fails_the_clip_in_the_end(caplog: pytest.LogCaptureFixture) -> None:
    """Attempts raise, so that the host delivers again, until the last stores the failure; the transcript remains."""
    caplog.set_level("INFO", "voice")
    world = World(rules=replace(RULES, attempts=2))
    await world.open(recording(PCM))
    world.assistant.failure = StageFailed("Away.", stage="assistant")
    with pytest.raises(StageFailed):
        await process_clip(NAME, world.worker())
    assert world.clip.claim is None
    await process_clip(NAME, world.worker())

    assert world.clip.failure
    assert (world.clip.status, world.clip.failure.code, world.clip.failure.stage) == (
        "failed",
        "stage-failed",
        "assistant",
    )
    assert world.clip.transcribed
    assert set(world.stt.billed.values()) == {1}
    assert NAME in world.recordings.stored
    logged = [record.getMessage() for record in caplog.records if record.name == "voice"]
    assert [line.split(" outcome=")[1].split()[0] for line in logged if line.startswith("clip ")] == ["again", "failed"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "audio-empty"),
        (b"This is no recording. " * 50, "audio-format-unknown"),
        (recording(silence(6.0)), "no-speech"),
        (recording(PCM)[:100] + b"", "no-speech"),
        (recording(PCM * 2), "audio-too-long"),
    ],
)
async def test_an_unusable_recording_fails_at_once(data: bytes, code: str) -> None:
    """A recording without usable speech fails in the first attempt, with its reason and without cost."""
    world = World(rules=replace(RULES, limits=Limits(max_bytes=10**7, max_seconds=SECONDS + 10)))
    await world.open(data)
    await process_clip(NAME, world.worker())

    assert world.clip.failure
    assert (world.clip.status, world.clip.failure.code, world.clip.attempts) == ("failed", code, 1)
    assert not world.stt.begun


async def test_without_synthesis_the_reply_is_text_only() -> None:
    """When synthesis fails, the reply is stored as text and the clip is marked as degraded."""
    world = World()
    world.tts.failure = StageFailed("Away.", stage="tts")
    await done(world)

    assert (world.clip.status, world.clip.degraded) == ("done", ("speech",))
    assert world.turns[0].degraded == ("speech",)


async def test_a_reply_has_a_longest_length() -> None:
    """An assistant that ignores its limit is cut off, so that no reply fills the worker's memory."""
    world = World()
    await world.open(recording(PCM))
    worker = world.worker()
    await process_clip(NAME, replace(worker, turn=replace(worker.turn, reply_characters=6)))

    assert world.artefacts.stored[NAME, "reply.txt"] == b"All is"


async def test_a_refused_reply_keeps_the_transcript() -> None:
    """A refusal by the content filter is final, and the transcript can be read."""
    world = World()
    world.assistant.failure = ReplyRefused("No.")
    await done(world)

    assert world.clip.failure
    assert (world.clip.failure.code, world.clip.transcribed) == ("reply-refused", True)


async def test_an_unexpected_error_is_raised_and_the_clip_released() -> None:
    """An error of our own code reaches the host, and the next delivery need not wait for the lease."""
    world = World()
    await world.open(recording(PCM))
    world.stt.failures = [ValueError("a mistake")] * 99
    with pytest.raises(ValueError, match="a mistake"):
        await process_clip(NAME, world.worker())

    assert world.clip.claim is None
