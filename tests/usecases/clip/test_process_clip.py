"""Work on clips, with every store in memory: what is made, and that it is made once whatever happens."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count

import pytest

from tests.memory_clip_stores import CONVERSATION, NAME, RULES, Died, Mortal, World, recording
from tests.sound import silence
from tests.tone_words import script
from voice_core.audio.limits import Limits
from voice_core.domain.errors import ReplyRefused, StageFailed
from voice_core.usecases.clip.process_clip import process_clip

SECONDS = 14.0
PCM, SAID = script(SECONDS)
WORDS = " ".join(said.text for said in SAID)


async def done(world: World | None = None, **members: object) -> World:
    """A world in which a clip has been worked on."""
    world = world or World()
    await world.open(recording(PCM), **members)
    await process_clip(NAME, world.worker())
    return world


async def test_a_clip_becomes_a_transcript_a_reply_and_a_turn() -> None:
    """Every word once, the reply and its speech are kept, and one turn points at them."""
    world = await done()

    assert world.clip.status == "done"
    assert " ".join(world.text().split()) == WORDS
    assert world.artefacts.kept[NAME, "reply.txt"] == b"All is well."
    assert len(world.speeches.complete) == 1
    (turn,) = world.turns
    assert (turn.id, turn.clip_id, turn.conversation_id) == (NAME.clip_id, NAME.clip_id, CONVERSATION)
    assert (turn.transcript, turn.reply) == (WORDS, "All is well.")


async def test_times_are_those_of_the_recording() -> None:
    """In the JSON words and phrases stand where they were said, to the frame, and in the captions too."""
    world = await done()
    document = json.loads(world.artefacts.kept[NAME, "transcript.json"])
    words = [word for phrase in document["phrases"] for word in phrase["words"]]
    phrases = [(phrase["startMs"], phrase["endMs"]) for phrase in document["phrases"]]
    captions = CUE.findall(world.artefacts.kept[NAME, "transcript.vtt"].decode())
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
    """The most that one differs from its counterpart."""
    return max(abs(this - that) for this, that in zip(these, those, strict=True))


async def test_doing_it_again_changes_nothing() -> None:
    """Three deliveries: one reply, one turn, every segment heard once."""
    world = await done()
    kept = dict(world.artefacts.kept)
    for _ in range(2):
        await process_clip(NAME, world.worker())

    assert world.artefacts.kept == kept
    assert len(world.assistant.told) == len(world.conversations.all_turns) == 1
    assert set(world.stt.billed.values()) == {1}


async def test_only_a_transcript_if_no_reply_is_wanted() -> None:
    """Nothing is asked of the assistant, and the conversation is left alone."""
    world = await done(reply=False)

    assert (world.clip.status, world.clip.transcribed) == ("done", True)
    assert not world.assistant.told
    assert not world.conversations.all_turns


async def test_long_speech_is_summarised() -> None:
    """The assistant is told what to do with a long transcript, and what the user wants; a short one stands alone."""
    short = await done()
    rules = replace(RULES, long_characters=10, summary_prompt="Summarise:")
    long = await done(World(rules=rules), notes="For my boss.")

    assert short.assistant.told[0][0] == WORDS
    assert long.assistant.told[0][0] == f"Summarise:\n\nFor my boss.\n\n{WORDS}"


async def test_segments_are_heard_several_at_a_time() -> None:
    """As many at once as the rules say, and no more."""
    world = World(rules=replace(RULES, at_once=3))
    world.stt.seconds = 0.02
    await done(world)

    assert world.stt.most_at_once == 3


@pytest.mark.parametrize("after", [False, True])
async def test_a_death_at_any_call_costs_no_more_than_what_was_under_way(after: bool) -> None:
    """Wherever a worker dies, the next one goes on: one result, and no segment is paid for twice that was kept."""
    for number in count(1):
        world = World(rules=replace(RULES, claim_seconds=0.05))
        await world.open(recording(PCM))
        mortal = Mortal(number, after=after)
        with suppress(Died):
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


async def test_a_failing_provider_is_asked_again() -> None:
    """A segment that fails for a moment is tried once more within the same attempt."""
    world = World()
    world.stt.failures = [StageFailed("Away.", stage="stt")]
    await done(world)

    assert (world.clip.status, world.clip.attempts) == ("done", 1)


async def test_a_provider_that_stays_away_fails_the_clip_in_the_end(caplog: pytest.LogCaptureFixture) -> None:
    """Attempts raise, so that the host delivers again, until the last one says why; what was heard is kept."""
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
    assert NAME in world.recordings.kept
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
async def test_what_cannot_be_heard_fails_at_once(data: bytes, code: str) -> None:
    """Trying again would not help: the job says why, and nothing was paid for."""
    world = World(rules=replace(RULES, limits=Limits(max_bytes=10**7, max_seconds=SECONDS + 10)))
    await world.open(data)
    await process_clip(NAME, world.worker())

    assert world.clip.failure
    assert (world.clip.status, world.clip.failure.code, world.clip.attempts) == ("failed", code, 1)
    assert not world.stt.begun


async def test_speech_that_fails_costs_the_speech_only() -> None:
    """The reply stands as text."""
    world = World()
    world.tts.failure = StageFailed("Away.", stage="tts")
    await done(world)

    assert (world.clip.status, world.clip.degraded) == ("done", ("speech",))
    assert world.turns[0].degraded == ("speech",)


async def test_a_refused_reply_keeps_the_transcript() -> None:
    """The content filter's no is final; what was said can be read."""
    world = World()
    world.assistant.failure = ReplyRefused("No.")
    await done(world)

    assert world.clip.failure
    assert (world.clip.failure.code, world.clip.transcribed) == ("reply-refused", True)


async def test_an_unexpected_error_is_raised_and_the_clip_released() -> None:
    """The host hears of a mistake of ours, and the next delivery need not wait."""
    world = World()
    await world.open(recording(PCM))
    world.stt.failures = [ValueError("a mistake")] * 99
    with pytest.raises(ValueError, match="a mistake"):
        await process_clip(NAME, world.worker())

    assert world.clip.claim is None
