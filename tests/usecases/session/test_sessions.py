"""A session: the client's input becomes turns; every turn ends once, and is stored as far as it was played."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from fakes.eventually import eventually
from fakes.scripted_ports import ScriptedAssistant, ScriptedConversations, ScriptedStt, ScriptedTts
from fakes.sound import silence, voice_like
from tests.usecases.session.peers import ScriptedPeer
from voice_core.audio.limits import Limits
from voice_core.domain.audio import SPEECH_RATE
from voice_core.domain.conversation import Turn, new_conversation_id
from voice_core.domain.errors import Busy, LimitReached, NotFound, StageFailed
from voice_core.domain.session import (
    IceServer,
    PeerClosed,
    PeerConnected,
    PeerExceeded,
    PeerMessage,
    PeerResumed,
    PeerSilent,
    Reason,
    SessionLimits,
    Update,
)
from voice_core.functions.session.data_channel import SessionMessageCodec
from voice_core.usecases.session.ice_servers import IceServers
from voice_core.usecases.session.live_session import FRAGMENTS_AT_ONCE, LiveSession
from voice_core.usecases.session.request import NewSession
from voice_core.usecases.session.sessions import Sessions
from voice_core.usecases.turn.services import TurnServices
from voice_core.usecases.turn.take_turn import take_turn

PRESS, RELEASE, CANCEL = "input_audio_buffer.clear", "input_audio_buffer.commit", "response.cancel"
ENDS = ("turn.done", "error")
SENTENCES = ("It is sunny today.", "Take a hat with you.", "Enjoy the day.", "Goodbye now.")


class Room:
    """One session with scripted services; the reply is four sentences of some seconds."""

    def __init__(self) -> None:
        self.stt, self.tts = ScriptedStt(), ScriptedTts()
        self.assistant = ScriptedAssistant()
        self.conversations = ScriptedConversations()
        self.peer = ScriptedPeer()
        self.limits = SessionLimits()
        self.audio = Limits()
        self.new_session = NewSession(user_id="u", conversation_id=new_conversation_id())
        self.counted: list[tuple[str, int]] = []
        """Users and milliseconds of sound outside turns."""
        self.quota_used_up = False

    @property
    def services(self) -> TurnServices:
        return TurnServices(stt=self.stt, assistant=self.assistant, tts=self.tts, conversations=self.conversations)

    async def count_sound(self, user_id: str, heard_ms: int) -> None:
        self.counted.append((user_id, heard_ms))
        if self.quota_used_up:
            raise LimitReached("No more today.", retry_after=60)

    @asynccontextmanager
    async def session(self, *, connected: bool = True) -> AsyncIterator[LiveSession]:
        services = self.services
        live = LiveSession(
            self.new_session,
            self.peer,
            take_turn=lambda request: take_turn(request, services),
            codec=SessionMessageCodec(100),
            limits=self.limits,
            audio=self.audio,
            count_sound=self.count_sound,
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
        assert self.peer.messages("session.closed") == self.peer.sent[-1:]

    async def ends(self, count: int = 1) -> dict[str, Any]:
        """The last event of turn number *count*, once it has been sent."""
        await eventually(lambda: len(self.peer.messages(*ENDS)) >= count)
        return self.peer.messages(*ENDS)[count - 1]

    async def state(self, state: str) -> None:
        await eventually(
            lambda: self.peer.messages("session.state") and self.peer.messages("session.state")[-1]["state"] == state
        )

    async def speak(self) -> None:
        """Press, speak a second, and release."""
        self.peer.says(PRESS)
        await self.state("listening")
        self.peer.speaks(voice_like())
        self.peer.says(RELEASE)

    async def reply_plays(self) -> None:
        """Speak; return when all of the reply is being played, which does not end."""
        self.peer.playing.clear()
        await self.speak()
        await self.state("speaking")
        size = 2 * round(len("".join(SENTENCES)) * self.tts.seconds_per_character * SPEECH_RATE)
        await eventually(lambda: len(self.peer.reply) == size)

    @property
    def stored(self) -> Sequence[Turn]:
        return self.conversations.all_turns


async def test_press_speak_and_release_make_a_turn() -> None:
    """The turn's states and events are sent in order, its speech is played, and it is stored."""
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
    assert [turn.reply for turn in room.stored] == [room.assistant.reply_text]
    assert len(room.peer.reply) > 0
    assert room.peer.awake > 0


async def test_the_turn_is_stored_when_it_has_been_played() -> None:
    """While the reply plays, nothing is stored, and turn.done is not sent."""
    room = Room()
    async with room.session():
        await room.reply_plays()
        assert not room.stored
        assert not room.peer.messages("turn.done", "speech.audio.done")

        room.peer.playing.set()
        await room.ends()
        assert len(room.stored) == 1


async def test_the_next_turn_has_the_previous_one_as_history() -> None:
    """The assistant gets the previous turn."""
    room = Room()
    async with room.session():
        await room.speak()
        await room.ends(1)
        room.peer.says("input_text", text="and tomorrow?")
        await room.ends(2)

    text, history = room.assistant.requests[1]
    assert (text, [turn.transcript for turn in history]) == ("and tomorrow?", [room.stt.text])


@pytest.mark.parametrize(
    ("heard_seconds", "words"),
    [
        (0.0, ""),
        (1.0, "It is sunny today."),
        (1.5, "It is sunny today. Take a hat"),
        (99.0, ScriptedAssistant().reply_text),
    ],
)
async def test_an_interrupted_turn_stores_the_played_words(heard_seconds: float, words: str) -> None:
    """Complete sentences and the played share of the last one are stored; the press stops the playing at once."""
    room = Room()
    async with room.session():
        await room.reply_plays()
        room.peer.heard_seconds = heard_seconds
        room.peer.says(PRESS)
        done = await room.ends()
        await room.state("listening")
        assert room.peer.hushed == 1

    assert (done["type"], done["interrupted"], done["responseText"]) == ("turn.done", True, words)
    assert [(turn.interrupted, turn.reply) for turn in room.stored] == [(True, words)]


async def test_press_and_cancel_end_the_reply_once() -> None:
    """After a press, a cancel does not disturb the turn that is already ending: it ends once and is stored."""
    room = Room()
    async with room.session():
        await room.reply_plays()
        room.peer.heard_seconds = 1.0
        room.peer.says(PRESS)
        room.peer.says(CANCEL)
        done = await room.ends()
        await room.state("connected")

    assert (done["type"], done["interrupted"], done["responseText"]) == ("turn.done", True, "It is sunny today.")
    assert [turn.reply for turn in room.stored] == ["It is sunny today."]


async def test_speech_during_a_reply_is_the_next_turn() -> None:
    """The next turn begins when the interrupted turn is stored, with all that the user said in the meantime."""
    room = Room()
    async with room.session():
        await room.reply_plays()
        room.peer.heard_seconds = 1.0
        room.stt.heard_bytes = 0
        await room.speak()
        room.peer.playing.set()
        await room.ends(2)

    assert room.stt.heard_bytes == len(voice_like())
    assert [turn.reply for turn in room.assistant.requests[1][1]] == ["It is sunny today."]


@pytest.mark.parametrize("stage", ["listening", "stt", "assistant", "tts"])
async def test_a_cancelled_turn_ends_once_and_frees_the_session(stage: str) -> None:
    """A turn can be cancelled in every stage, and the session continues."""
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
        assert len(room.peer.messages(*ENDS)) == 1

        room.stt.hangs, room.assistant.hangs_after, room.tts.first_seconds = False, None, 0.0
        await room.speak()
        assert (await room.ends(2))["interrupted"] is False


async def test_a_second_press_drops_the_first_utterance() -> None:
    """A second press ends the first utterance, and nothing of it is stored."""
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

    assert [event["interrupted"] for event in room.peer.messages("turn.done")] == [True, False]
    assert len(room.stored) == 1


async def test_a_press_without_speech_calls_no_recognition() -> None:
    """A press without speech ends with no-speech, and recognition is not called."""
    room = Room()
    async with room.session():
        room.peer.says(PRESS)
        await room.state("listening")
        room.peer.speaks(silence(0.06))
        room.peer.says(RELEASE)
        end = await room.ends()
        await room.state("connected")

    assert (end["type"], end["code"]) == ("error", "no-speech")
    assert (room.stt.calls, room.stored) == (0, [])


async def test_an_utterance_has_a_maximum_length() -> None:
    """A stuck button ends the turn, not the session; only a second release is an error."""
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
        assert len(room.peer.messages(*ENDS)) == 2


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
    """A malformed control message gets an error event, and the current reply plays on."""
    room = Room()
    async with room.session():
        await room.reply_plays()
        room.peer.happens(PeerMessage(message))
        assert (await room.ends())["code"] == code
        room.peer.playing.set()
        assert (await room.ends(2))["interrupted"] is False


async def test_options_apply_to_the_following_turns() -> None:
    """Voice, language and phrases apply to the turns after their update."""
    room = Room()
    room.new_session = NewSession(
        user_id="u", conversation_id=new_conversation_id(), options=Update(voice="A", phrases=("Zed",))
    )
    async with room.session():
        room.peer.says("session.update", language="de-DE", Voice="B")
        await room.speak()
        await room.ends()

    assert room.tts.voice == "B"
    assert room.stt.hints is not None
    assert (room.stt.hints.languages, room.stt.hints.phrases) == (("de-DE",), ("Zed",))


async def test_the_query_is_answered_first() -> None:
    """The reply to the query is spoken as soon as the media is connected."""
    room = Room()
    room.new_session = NewSession(user_id="u", conversation_id=new_conversation_id(), query="recommend games")
    async with room.session(connected=False):
        assert not room.peer.sent
        room.peer.connects()
        assert (await room.ends())["transcription"] == "recommend games"
    assert len(room.peer.reply) > 0


async def test_an_unknown_conversation_is_an_error() -> None:
    """A session may not begin a conversation under an id that the server did not create."""
    room = Room()
    room.new_session = NewSession(user_id="u", conversation_id="made-up")
    async with room.session():
        room.peer.says("input_text", text="hello")
        assert (await room.ends())["code"] == "conversation-not-found"


async def test_a_release_names_the_milliseconds_still_to_come() -> None:
    """A release may name the milliseconds of sound that are still to come from the microphone."""
    room = Room()
    async with room.session():
        room.peer.says(PRESS)
        await room.state("listening")
        room.peer.speaks(voice_like())
        room.peer.says(RELEASE, trailingMs=60)
        await room.ends()
    assert room.peer.trailing_seconds == 0.06


@pytest.mark.parametrize("has_channel", [True, False])
async def test_hands_free_detects_the_utterances(has_channel: bool) -> None:
    """A session is hands-free if that is requested, and for every client without a data channel."""
    room = Room()
    room.peer = ScriptedPeer(writes=has_channel)
    room.new_session = NewSession(
        user_id="u", conversation_id=new_conversation_id(), options=Update(hands_free=has_channel)
    )
    async with room.session():
        await room.state("connected")
        for count in (1, 2):
            room.peer.speaks(silence(0.5) + voice_like() + silence(1.0))
            assert (await room.ends(count))["transcription"] == room.stt.text
            await room.state("connected")
        assert len(room.peer.messages(*ENDS)) == 2


async def test_hands_free_can_be_switched_off() -> None:
    """The button is refused while hands-free is on, and works again when it is off."""
    room = Room()
    room.new_session = NewSession(user_id="u", conversation_id=new_conversation_id(), options=Update(hands_free=True))
    async with room.session():
        room.peer.says(PRESS)
        assert (await room.ends())["code"] == "hands-free"
        room.peer.says("session.update", handsFree=False)
        await room.speak()
        assert (await room.ends(2))["type"] == "turn.done"


async def test_a_client_that_leaves_during_a_turn_has_it_stored() -> None:
    """The played words are stored before the session ends."""
    room = Room()
    async with room.session() as live:
        await room.reply_plays()
        room.peer.heard_seconds = 1.0
        room.peer.leaves()
        await eventually(lambda: room.peer.closed)

    assert live.session.reason is Reason.CLIENT_LEFT
    assert [turn.reply for turn in room.stored] == ["It is sunny today."]


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
    """A session that never connected, is idle, too old or lost its peer ends, and reports the reason."""
    room = Room()
    room.limits = limits
    async with room.session(connected=False) as live:
        for event in events:
            room.peer.happens(event)
        await eventually(lambda: room.peer.closed)

    assert live.session.reason is reason
    assert room.peer.sent[-1] == {"type": "session.closed", "reason": reason}


async def test_followers_get_the_events_of_the_data_channel() -> None:
    """A follower gets every event to the end of the session."""
    room = Room()
    async with room.session() as live:
        follower = live.follow()
        room.peer.says("input_text", text="hello")
        await room.ends()
    followed = [event.type async for event in follower]

    assert followed == [document["type"] for document in room.peer.sent]
    assert followed[-1] == "session.closed"


class ScriptedPeers:
    """Peers that answer every offer with a ScriptedPeer, or fail."""

    def __init__(self) -> None:
        self.made: list[ScriptedPeer] = []
        self.failure: Exception | None = None

    async def answer(self, offer: str, servers: Sequence[IceServer]) -> ScriptedPeer:
        if self.failure:
            raise self.failure
        self.made.append(ScriptedPeer())
        return self.made[-1]


def worker(peers: ScriptedPeers, room: Room | None = None, *, most: int = 20, most_of_user: int = 2) -> Sessions:
    """The sessions of a worker with the services of *room*."""
    room = room or Room()
    services = room.services
    return Sessions(
        peers,
        IceServers(),
        take_turn=lambda request: take_turn(request, services),
        limits=SessionLimits(),
        audio=Limits(),
        count_sound=room.count_sound,
        most=most,
        most_of_user=most_of_user,
    )


async def opened_by(sessions: Sessions, user_id: str, **members: Any) -> LiveSession:
    new_session = NewSession(user_id=user_id, conversation_id=new_conversation_id(), **members)
    return (await sessions.open(new_session, "", SessionMessageCodec(100))).live


async def test_a_user_s_third_session_ends_the_oldest_without_a_turn() -> None:
    """Sessions of other users continue, and so does the one in which a turn is in progress."""
    peers, room = ScriptedPeers(), Room()
    room.assistant.hangs_after = 0
    sessions = worker(peers, room)
    busy, waiting, another = [await opened_by(sessions, user) for user in ("anna", "anna", "bob")]
    peers.made[0].connects()
    peers.made[0].says("input_text", text="hello")
    await eventually(lambda: busy.session.state == "thinking")

    third = await opened_by(sessions, "anna")
    await eventually(lambda: peers.made[1].closed)
    assert [live.session.closed for live in (busy, another, third)] == [False, False, False]
    assert sessions.status("anna", waiting.id).reason is Reason.REPLACED
    await sessions.close()


async def test_a_user_whose_sessions_all_have_turns_gets_no_other() -> None:
    """The error says when to try again, and both sessions continue."""
    peers, room = ScriptedPeers(), Room()
    room.assistant.hangs_after = 0
    sessions = worker(peers, room)
    both = [await opened_by(sessions, "anna", query="hello") for _ in range(2)]
    for peer in peers.made:
        peer.connects()
    await eventually(lambda: all(live.session.state == "thinking" for live in both))

    with pytest.raises(LimitReached) as refused:
        await opened_by(sessions, "anna")
    assert (refused.value.code, refused.value.retry_after) == ("sessions-busy", 30)
    assert not any(live.session.closed for live in both)
    assert await opened_by(sessions, "bob")
    await sessions.close()


async def test_a_session_is_not_replaced_by_one_that_cannot_be_opened() -> None:
    """A third offer that is refused ends nothing, and the next one that is answered does."""
    peers = ScriptedPeers()
    sessions = worker(peers)
    first, _ = [await opened_by(sessions, "anna") for _ in range(2)]
    peers.failure = StageFailed("No relay can be reached.", stage="relay")
    for _ in range(2):
        with pytest.raises(StageFailed):
            await opened_by(sessions, "anna")
    assert sessions.status("anna", first.id).reason is None
    peers.failure = None
    await opened_by(sessions, "anna")
    assert sessions.status("anna", first.id).reason is Reason.REPLACED
    await sessions.close()


async def test_sessions_that_are_opened_at_once_are_counted() -> None:
    """Ten offers of one user at once lead to no more sessions than one user may have."""
    peers = ScriptedPeers()
    sessions = worker(peers)
    results = await asyncio.gather(*(opened_by(sessions, "anna") for _ in range(10)), return_exceptions=True)
    open_sessions = [one for one in results if isinstance(one, LiveSession) and not one.session.closed]
    assert len(open_sessions) <= 2
    assert all(isinstance(one, LiveSession | LimitReached) for one in results)
    await sessions.close()


@pytest.mark.parametrize("writes", [True, False])
async def test_hands_free_sound_outside_turns_is_counted(*, writes: bool) -> None:
    """Listening costs work even while no one speaks, so its sound counts too: on the way, and the rest at the end."""
    room = Room()
    room.peer.writes = writes
    room.new_session = replace(room.new_session, options=Update(hands_free=True))
    async with room.session():
        await room.state("connected")
        room.peer.speaks(silence(30.0))
        await eventually(lambda: room.counted)
        room.peer.speaks(silence(5.0))
        await asyncio.sleep(0)
        await eventually(lambda: not room.peer.unheard)
    assert sum(heard_ms for _, heard_ms in room.counted) == 35_000


async def test_hands_free_listening_ends_with_the_quota() -> None:
    """The client is notified, nothing more is heard, and the session continues in writing."""
    room = Room()
    room.quota_used_up = True
    room.new_session = replace(room.new_session, options=Update(hands_free=True))
    async with room.session():
        await room.state("connected")
        room.peer.speaks(silence(30.0))
        assert (await room.ends())["code"] == "limit-reached"
        room.peer.speaks(voice_like(2.0))
        room.peer.says("input_text", text="hello")
        await eventually(lambda: room.peer.messages("turn.done"))
    assert room.stt.calls == 0


async def test_sound_that_does_not_pause_is_not_held_without_end() -> None:
    """An utterance that is too long fails, and what follows of it is counted as sound outside turns."""
    room = Room()
    room.audio = Limits(max_seconds=1.0)
    room.new_session = replace(room.new_session, options=Update(hands_free=True))
    async with room.session():
        await room.state("connected")
        room.peer.speaks(voice_like(40.0))
        assert (await room.ends())["code"] == "audio-too-long"
        await eventually(lambda: room.counted)
    assert sum(heard_ms for _, heard_ms in room.counted) >= 35_000


async def test_a_client_that_sends_too_much_ends_its_session() -> None:
    """The session is closed with a reason of its own."""
    room = Room()
    async with room.session():
        await room.state("connected")
        room.peer.happens(PeerExceeded())
        await eventually(lambda: room.peer.closed)
    assert room.peer.messages("session.closed")[0]["reason"] == "exceeded"


async def test_fragments_of_a_session_are_limited() -> None:
    """After a number of them, a client has to wait; the error says how long."""
    room = Room()
    async with room.session() as live:
        for _ in range(FRAGMENTS_AT_ONCE):
            await live.add_candidates("a=end-of-candidates")
        with pytest.raises(LimitReached) as refused:
            await live.add_candidates("a=end-of-candidates")
    assert refused.value.retry_after == 1


async def test_a_worker_refuses_more_sessions_than_its_limit() -> None:
    """One more session than the limit is refused; failed negotiations and ended sessions do not count."""
    peers = ScriptedPeers()
    sessions = worker(peers, most=2, most_of_user=10)
    new_session = NewSession(user_id="u", conversation_id="c")
    peers.failure = StageFailed("No relay can be reached.", stage="relay")
    for _ in range(3):
        with pytest.raises(StageFailed):
            await sessions.open(new_session, "", SessionMessageCodec(100))
    peers.failure = None
    first, _ = [await sessions.open(new_session, "", SessionMessageCodec(100)) for _ in range(2)]
    with pytest.raises(Busy, match="/process"):
        await sessions.open(new_session, "", SessionMessageCodec(100))

    status = sessions.close_session("u", first.live.id)
    assert (status.state, status.reason) == ("closed", "deleted")
    await eventually(lambda: peers.made[0].closed)
    await sessions.open(new_session, "", SessionMessageCodec(100))
    await sessions.close()
    assert all(peer.closed for peer in peers.made)
    assert sessions.status("u", first.live.id).reason is Reason.DELETED
    with pytest.raises(NotFound):
        sessions.status("somebody else", first.live.id)


def test_relay_credentials_are_valid_for_one_session() -> None:
    """Credentials differ by session: they sign the user name, which has the expiry and the session's name."""
    ice = IceServers(
        fixed=[IceServer(("stun:stun.test",))], turn_urls=("turns:turn.test",), turn_secret="s", turn_seconds=60
    )
    fixed, relay = ice.mint("a")

    assert fixed.urls == ("stun:stun.test",)
    assert relay.username.endswith(":a")
    assert relay.credential != ice.mint("b")[1].credential
    assert IceServers(fixed=ice.fixed).mint("a") == (fixed,)
