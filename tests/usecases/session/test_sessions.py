"""A session: what the client says becomes turns, and every turn ends once and is kept as far as it was heard."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.eventually import eventually
from tests.scripted import ScriptedAssistant, ScriptedConversations, ScriptedStt, ScriptedTts
from tests.sound import silence, voice_like
from tests.usecases.session.peers import ScriptedPeer
from voice_core.audio.limits import Limits
from voice_core.domain.audio import SPEECH_RATE
from voice_core.domain.conversation import Turn, new_conversation_id
from voice_core.domain.errors import Busy, NotFound, StageFailed
from voice_core.domain.session import (
    IceServer,
    PeerClosed,
    PeerConnected,
    PeerMessage,
    PeerResumed,
    PeerSilent,
    Reason,
    SessionLimits,
    Update,
)
from voice_core.functions.session.data_channel import SessionMessageCodec
from voice_core.usecases.session.ice_servers import IceServers
from voice_core.usecases.session.live_session import LiveSession
from voice_core.usecases.session.request import NewSession
from voice_core.usecases.session.sessions import Sessions
from voice_core.usecases.turn.services import TurnServices
from voice_core.usecases.turn.take_turn import take_turn

PRESS, RELEASE, CANCEL = "input_audio_buffer.clear", "input_audio_buffer.commit", "response.cancel"
ENDS = ("turn.done", "error")
SENTENCES = ("It is sunny today.", "Take a hat with you.", "Enjoy the day.", "Goodbye now.")


class Room:
    """One session with scripted company; the reply is four sentences of some seconds."""

    def __init__(self) -> None:
        self.stt, self.tts = ScriptedStt(), ScriptedTts()
        self.assistant = ScriptedAssistant()
        self.conversations = ScriptedConversations()
        self.peer = ScriptedPeer()
        self.limits = SessionLimits()
        self.audio = Limits()
        self.asked = NewSession(user_id="u", conversation_id=new_conversation_id())

    @property
    def services(self) -> TurnServices:
        return TurnServices(stt=self.stt, assistant=self.assistant, tts=self.tts, conversations=self.conversations)

    @asynccontextmanager
    async def session(self, *, connected: bool = True) -> AsyncIterator[LiveSession]:
        services = self.services
        live = LiveSession(
            self.asked,
            self.peer,
            take_turn=lambda said: take_turn(said, services),
            wire=SessionMessageCodec(100),
            limits=self.limits,
            audio=self.audio,
        )
        serving = asyncio.create_task(live.run())
        if connected:
            self.peer.connects()
        try:
            yield live
        finally:
            live.close(Reason.STOPPED)
            await serving
        assert self.peer.closed
        assert self.peer.told("session.closed") == self.peer.sent[-1:]

    async def ends(self, count: int = 1) -> dict[str, Any]:
        """The *count*-th turn's last event, once it is there."""
        await eventually(lambda: len(self.peer.told(*ENDS)) >= count)
        return self.peer.told(*ENDS)[count - 1]

    async def state(self, state: str) -> None:
        await eventually(
            lambda: self.peer.told("session.state") and self.peer.told("session.state")[-1]["state"] == state
        )

    async def speak(self) -> None:
        """Press, speak a second, and release."""
        self.peer.says(PRESS)
        await self.state("listening")
        self.peer.speaks(voice_like())
        self.peer.says(RELEASE)

    async def reply_plays(self) -> None:
        """All speech is there, and is being played for ever."""
        self.peer.playing.clear()
        await self.speak()
        await self.state("speaking")
        whole = 2 * round(len("".join(SENTENCES)) * self.tts.seconds_per_character * SPEECH_RATE)
        await eventually(lambda: len(self.peer.reply) == whole)

    @property
    def kept(self) -> Sequence[Turn]:
        return self.conversations.all_turns


async def test_a_press_a_word_and_a_release_are_a_turn() -> None:
    """Its states and events are told in order, its speech is played, and it is stored."""
    room = Room()
    async with room.session():
        await room.speak()
        done = await room.ends()
        await room.state("connected")

    kinds = [document.get("state", document["type"]) for document in room.peer.sent]
    expected = ["connected", "listening", "turn.created", "thinking", "transcript.text.done", "speaking", "turn.done"]
    assert [kind for kind in kinds if kind in expected][:-1] == expected
    assert "speech.audio.delta" not in kinds
    assert (done["transcription"], done["interrupted"]) == (room.stt.text, False)
    assert room.stt.heard_bytes == len(voice_like())
    assert [turn.reply for turn in room.kept] == [room.assistant.reply_text]
    assert len(room.peer.reply) > 0
    assert room.peer.awake > 0


async def test_the_turn_is_stored_when_it_has_been_heard() -> None:
    """While the reply plays nothing is kept, and turn.done waits."""
    room = Room()
    async with room.session():
        await room.reply_plays()
        assert not room.kept
        assert not room.peer.told("turn.done", "speech.audio.done")

        room.peer.playing.set()
        await room.ends()
        assert len(room.kept) == 1


async def test_the_next_turn_remembers_the_one_before() -> None:
    """The assistant is told of it."""
    room = Room()
    async with room.session():
        await room.speak()
        await room.ends(1)
        room.peer.says("input_text", text="and tomorrow?")
        await room.ends(2)

    said, history = room.assistant.told[1]
    assert (said, [turn.transcript for turn in history]) == ("and tomorrow?", [room.stt.text])


@pytest.mark.parametrize(
    ("heard_seconds", "words"),
    [
        (0.0, ""),
        (1.0, "It is sunny today."),
        (1.5, "It is sunny today. Take a hat"),
        (99.0, ScriptedAssistant().reply_text),
    ],
)
async def test_an_interrupted_turn_keeps_the_words_that_were_heard(heard_seconds: float, words: str) -> None:
    """Whole sentences, and of the last as many words as its share of the sound; the press hushes at once."""
    room = Room()
    async with room.session():
        await room.reply_plays()
        room.peer.heard_seconds = heard_seconds
        room.peer.says(PRESS)
        done = await room.ends()
        await room.state("listening")
        assert room.peer.hushed == 1

    assert (done["type"], done["interrupted"], done["responseText"]) == ("turn.done", True, words)
    assert [(turn.interrupted, turn.reply) for turn in room.kept] == [(True, words)]


async def test_a_tap_ends_the_reply_once() -> None:
    """A press and a cancel right after it: the turn that is already ending is left to end, and is stored."""
    room = Room()
    async with room.session():
        await room.reply_plays()
        room.peer.heard_seconds = 1.0
        room.peer.says(PRESS)
        room.peer.says(CANCEL)
        done = await room.ends()
        await room.state("connected")

    assert (done["type"], done["interrupted"], done["responseText"]) == ("turn.done", True, "It is sunny today.")
    assert [turn.reply for turn in room.kept] == ["It is sunny today."]


async def test_what_is_said_over_a_reply_is_the_next_turn() -> None:
    """It begins once the turn that it interrupts is stored, and loses nothing that was said meanwhile."""
    room = Room()
    async with room.session():
        await room.reply_plays()
        room.peer.heard_seconds = 1.0
        room.stt.heard_bytes = 0
        await room.speak()
        room.peer.playing.set()
        await room.ends(2)

    assert room.stt.heard_bytes == len(voice_like())
    assert [turn.reply for turn in room.assistant.told[1][1]] == ["It is sunny today."]


@pytest.mark.parametrize("stage", ["listening", "stt", "assistant", "tts"])
async def test_a_cancelled_turn_ends_once_and_lets_go(stage: str) -> None:
    """Wherever it is; the session goes on."""
    room = Room()
    room.stt.hangs = stage == "stt"
    room.assistant.hangs_after = 0 if stage == "assistant" else None
    room.tts.first_seconds = 60 if stage == "tts" else 0.0
    async with room.session():
        room.peer.says(PRESS)
        await room.state("listening")
        room.peer.speaks(voice_like())
        if stage != "listening":
            room.peer.says(RELEASE)
            await eventually(lambda: room.tts.spoken if stage == "tts" else room.stt.calls)
        room.peer.says(CANCEL)
        done = await room.ends()
        await room.state("connected")
        assert (done["type"], done["interrupted"]) == ("turn.done", True)
        assert len(room.peer.told(*ENDS)) == 1

        room.stt.hangs, room.assistant.hangs_after, room.tts.first_seconds = False, None, 0.0
        await room.speak()
        assert (await room.ends(2))["interrupted"] is False


async def test_pressing_twice_drops_what_was_said_first() -> None:
    """An accidental press is taken back by the next one; nothing of it is kept."""
    room = Room()
    async with room.session():
        room.peer.says(PRESS)
        await room.state("listening")
        room.peer.speaks(voice_like())
        room.peer.says(PRESS)
        await room.ends(1)
        room.peer.speaks(voice_like())
        room.peer.says(RELEASE)
        await room.ends(2)

    assert [event["interrupted"] for event in room.peer.told("turn.done")] == [True, False]
    assert len(room.kept) == 1


async def test_a_slip_of_the_finger_costs_nothing() -> None:
    """A press without speech ends with no-speech; recognition is not asked."""
    room = Room()
    async with room.session():
        room.peer.says(PRESS)
        await room.state("listening")
        room.peer.speaks(silence(0.06))
        room.peer.says(RELEASE)
        end = await room.ends()
        await room.state("connected")

    assert (end["type"], end["code"]) == ("error", "no-speech")
    assert (room.stt.calls, room.kept) == (0, [])


async def test_an_utterance_has_a_longest_length() -> None:
    """A button that is stuck ends the turn, not the session; once it is let go, nothing more is said."""
    room = Room()
    room.audio = Limits(max_seconds=1)
    async with room.session():
        room.peer.says(PRESS)
        await room.state("listening")
        room.peer.speaks(voice_like(3.0))
        assert (await room.ends())["code"] == "audio-too-long"
        await room.state("connected")

        room.peer.says(RELEASE)
        room.peer.says(RELEASE)
        assert (await room.ends(2))["code"] == "not-listening"
        assert len(room.peer.told(*ENDS)) == 2


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("rubbish", "json-invalid"),
        ("[1]", "json-invalid"),
        ('"' + "x" * 70_000 + '"', "json-invalid"),
        ("{}", "request-invalid"),
        ('{"type": "conversation.item.create"}', "control-unknown"),
        ('{"type": "input_text"}', "request-invalid"),
        ('{"type": "input_text", "text": " "}', "text-empty"),
        ('{"type": "input_text", "text": "' + "x" * 101 + '"}', "text-too-long"),
        ('{"type": "session.update", "language": "!"}', "request-invalid"),
        ('{"type": "input_audio_buffer.commit", "trailingMs": -1}', "request-invalid"),
        ('{"type": "input_audio_buffer.commit"}', "not-listening"),
    ],
)
async def test_a_malformed_control_changes_nothing(message: str, code: str) -> None:
    """It is answered with an error, and the reply that plays goes on."""
    room = Room()
    async with room.session():
        await room.reply_plays()
        room.peer.happens(PeerMessage(message))
        assert (await room.ends())["code"] == code
        room.peer.playing.set()
        assert (await room.ends(2))["interrupted"] is False


async def test_wishes_hold_for_the_turns_that_follow() -> None:
    """Voice, language and phrases."""
    room = Room()
    room.asked = NewSession(
        user_id="u", conversation_id=new_conversation_id(), wishes=Update(voice="A", phrases=("Zed",))
    )
    async with room.session():
        room.peer.says("session.update", language="de-DE", Voice="B")
        await room.speak()
        await room.ends()

    assert room.tts.voice == "B"
    assert room.stt.hints is not None
    assert (room.stt.hints.languages, room.stt.hints.phrases) == (("de-DE",), ("Zed",))


async def test_the_query_is_answered_first() -> None:
    """As soon as the media is connected, aloud."""
    room = Room()
    room.asked = NewSession(user_id="u", conversation_id=new_conversation_id(), query="recommend games")
    async with room.session(connected=False):
        assert not room.peer.sent
        room.peer.connects()
        assert (await room.ends())["transcription"] == "recommend games"
    assert len(room.peer.reply) > 0


async def test_a_conversation_that_is_not_there_is_told() -> None:
    """A session may not begin a conversation under an id that nobody gave out."""
    room = Room()
    room.asked = NewSession(user_id="u", conversation_id="made-up")
    async with room.session():
        room.peer.says("input_text", text="hello")
        assert (await room.ends())["code"] == "conversation-not-found"


async def test_the_client_says_how_much_is_still_in_its_microphone() -> None:
    """A release may name the milliseconds that are still on their way."""
    room = Room()
    async with room.session():
        room.peer.says(PRESS)
        await room.state("listening")
        room.peer.speaks(voice_like())
        room.peer.says(RELEASE, trailingMs=60)
        await room.ends()
    assert room.peer.trailing_seconds == 0.06


@pytest.mark.parametrize("asked_for", [True, False])
async def test_hands_free_finds_the_utterances(asked_for: bool) -> None:
    """When it is asked for, and for a client that has no data channel to ask for anything."""
    room = Room()
    room.peer = ScriptedPeer(writes=asked_for)
    room.asked = NewSession(user_id="u", conversation_id=new_conversation_id(), wishes=Update(hands_free=asked_for))
    async with room.session():
        await room.state("connected")
        for count in (1, 2):
            room.peer.speaks(silence(0.5) + voice_like() + silence(1.0))
            assert (await room.ends(count))["transcription"] == room.stt.text
            await room.state("connected")
        assert len(room.peer.told(*ENDS)) == 2


async def test_hands_free_can_be_left() -> None:
    """The button is refused while it is on, and works again after."""
    room = Room()
    room.asked = NewSession(user_id="u", conversation_id=new_conversation_id(), wishes=Update(hands_free=True))
    async with room.session():
        room.peer.says(PRESS)
        assert (await room.ends())["code"] == "hands-free"
        room.peer.says("session.update", handsFree=False)
        await room.speak()
        assert (await room.ends(2))["type"] == "turn.done"


async def test_a_client_that_leaves_mid_turn_leaves_the_conversation_whole() -> None:
    """What was heard is stored before the session is gone."""
    room = Room()
    async with room.session() as live:
        await room.reply_plays()
        room.peer.heard_seconds = 1.0
        room.peer.leaves()
        await eventually(lambda: room.peer.closed)

    assert live.session.reason is Reason.CLIENT_LEFT
    assert [turn.reply for turn in room.kept] == ["It is sunny today."]


@pytest.mark.parametrize(
    ("limits", "events", "reason"),
    [
        (SessionLimits(connect_seconds=0.02), [], Reason.NEVER_CONNECTED),
        (SessionLimits(), [PeerClosed()], Reason.NEVER_CONNECTED),
        (SessionLimits(idle_seconds=0.02), [PeerConnected()], Reason.IDLE),
        (SessionLimits(max_seconds=0.02), [PeerConnected()], Reason.TOO_OLD),
        (SessionLimits(grace_seconds=0.02), [PeerConnected(), PeerSilent()], Reason.PEER_LOST),
        (
            SessionLimits(grace_seconds=0.02, idle_seconds=0.1),
            [PeerConnected(), PeerSilent(), PeerResumed()],
            Reason.IDLE,
        ),
    ],
)
async def test_a_session_ends_by_itself(limits: SessionLimits, events: list[Any], reason: Reason) -> None:
    """Never connected, idle, too old, or out of touch for too long; and the reason is told."""
    room = Room()
    room.limits = limits
    async with room.session(connected=False) as live:
        for event in events:
            room.peer.happens(event)
        await eventually(lambda: room.peer.closed)

    assert live.session.reason is reason
    assert room.peer.sent[-1] == {"type": "session.closed", "reason": reason}


async def test_followers_are_told_what_the_channel_is_told() -> None:
    """To the end of the session."""
    room = Room()
    async with room.session() as live:
        follower = live.follow()
        room.peer.says("input_text", text="hello")
        await room.ends()
    told = [one.type async for one in follower]

    assert told == [document["type"] for document in room.peer.sent]
    assert told[-1] == "session.closed"


class Answering:
    """Peers that are all scripted."""

    def __init__(self) -> None:
        self.made: list[ScriptedPeer] = []
        self.failure: Exception | None = None

    async def answer(self, offer: str, servers: Sequence[IceServer]) -> ScriptedPeer:
        if self.failure:
            raise self.failure
        self.made.append(ScriptedPeer())
        return self.made[-1]


async def test_a_worker_has_room_for_so_many_sessions() -> None:
    """One more is refused with a hint; a failed negotiation takes no room, and an ended session gives its own back."""
    peers = Answering()
    services = Room().services
    sessions = Sessions(
        peers,
        IceServers(),
        take_turn=lambda said: take_turn(said, services),
        limits=SessionLimits(),
        audio=Limits(),
        most=2,
    )
    asked = NewSession(user_id="u", conversation_id="c")
    peers.failure = StageFailed("No relay can be reached.", stage="relay")
    for _ in range(3):
        with pytest.raises(StageFailed):
            await sessions.open(asked, "", SessionMessageCodec(100))
    peers.failure = None
    first, _ = [await sessions.open(asked, "", SessionMessageCodec(100)) for _ in range(2)]
    with pytest.raises(Busy, match="/process"):
        await sessions.open(asked, "", SessionMessageCodec(100))

    known = sessions.close_session("u", first.live.id)
    assert (known.state, known.reason) == ("closed", "deleted")
    await eventually(lambda: peers.made[0].closed)
    await sessions.open(asked, "", SessionMessageCodec(100))
    await sessions.close()
    assert all(peer.closed for peer in peers.made)
    assert sessions.known("u", first.live.id).reason is Reason.DELETED
    with pytest.raises(NotFound):
        sessions.known("somebody else", first.live.id)


def test_relay_credentials_are_good_for_one_session_and_expire() -> None:
    """The user name says when, and is signed."""
    ice = IceServers(
        fixed=[IceServer(("stun:stun.test",))], turn_urls=("turns:turn.test",), turn_secret="s", turn_seconds=60
    )
    fixed, relay = ice.mint("a")

    assert fixed.urls == ("stun:stun.test",)
    assert relay.username.endswith(":a")
    assert relay.credential != ice.mint("b")[1].credential
    assert IceServers(fixed=ice.fixed).mint("a") == (fixed,)
