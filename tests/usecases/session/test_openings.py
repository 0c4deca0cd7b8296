"""Requests for a session under the same key, while it is being opened and later."""

import asyncio
from collections.abc import Sequence

import pytest

from fakes.eventually import eventually
from tests.usecases.session.peers import ScriptedPeer
from tests.usecases.session.test_sessions import Room
from voice_core.audio.limits import Limits
from voice_core.domain.errors import Conflict, InvalidInput, KeyReused
from voice_core.domain.idempotency import RequestName
from voice_core.domain.session import IceServer, Reason, SessionLimits
from voice_core.functions.session.data_channel import SessionMessageCodec
from voice_core.ports.media import Peer
from voice_core.usecases.idempotency.fingerprint import Fingerprint, IdempotentRequest
from voice_core.usecases.session.ice_servers import IceServers
from voice_core.usecases.session.open_session import OpenSession
from voice_core.usecases.session.request import NewSession
from voice_core.usecases.session.sessions import Sessions
from voice_core.usecases.turn.take_turn import take_turn


class SlowPeers:
    """Peers that answer an offer only when `may_answer` is set."""

    def __init__(self) -> None:
        self.answered = 0
        self.may_answer = asyncio.Event()
        self.failure: Exception | None = None

    async def answer(self, offer: str, servers: Sequence[IceServer]) -> Peer:
        self.answered += 1
        await self.may_answer.wait()
        if self.failure:
            raise self.failure
        return ScriptedPeer()


class Worker:
    """A worker with its sessions."""

    def __init__(self) -> None:
        self.peers = SlowPeers()
        services = Room().services
        self.sessions = Sessions(
            self.peers,
            IceServers(),
            take_turn=lambda turn_request: take_turn(turn_request, services),
            limits=SessionLimits(),
            audio=Limits(),
            count_sound=Room().count_sound,
            most=5,
            most_of_user=5,
        )

    async def open(self, offer: str = "v=0", key: str = "k") -> tuple[OpenSession, bool]:
        request = IdempotentRequest(RequestName("u", key), Fingerprint(key, offer))
        return await self.sessions.open_once(
            NewSession(user_id="u", conversation_id="c"), offer, SessionMessageCodec(100), request
        )


async def test_a_session_is_opened_once() -> None:
    """Requests of the same key get Retry-After while the session is being opened, then the session until it ends."""
    worker = Worker()
    first = asyncio.create_task(worker.open())
    await eventually(lambda: worker.peers.answered)
    with pytest.raises(Conflict) as running:
        await worker.open()
    assert (running.value.code, running.value.retry_after) == ("idempotency-running", 1.0)
    worker.peers.may_answer.set()
    opened, replayed = await first

    assert (await worker.open(), replayed) == ((opened, True), False)
    with pytest.raises(KeyReused):
        await worker.open("v=1")
    assert (await worker.open(key="another"))[0] is not opened
    opened.live.close(Reason.DELETED)
    assert (await worker.open())[0] is not opened
    await worker.sessions.close()


async def test_a_session_that_failed_to_open_can_be_requested_again() -> None:
    """A failed opening is forgotten, so the same key can open the session later."""
    worker = Worker()
    worker.peers.may_answer.set()
    worker.peers.failure = InvalidInput("No.", code="offer-invalid")
    with pytest.raises(InvalidInput):
        await worker.open()
    worker.peers.failure = None

    assert (await worker.open())[1] is False
    await worker.sessions.close()
