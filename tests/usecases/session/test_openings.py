"""A session that is asked for again under the same key, while it is being opened and after."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.eventually import eventually
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
from voice_core.usecases.session.opened import OpenSession
from voice_core.usecases.session.request import NewSession
from voice_core.usecases.session.sessions import Sessions
from voice_core.usecases.turn.take_turn import take_turn


class SlowPeers:
    """Answer offers when they are let."""

    def __init__(self) -> None:
        self.answered = 0
        self.may = asyncio.Event()
        self.failure: Exception | None = None

    async def answer(self, offer: str, servers: Sequence[IceServer]) -> Peer:
        self.answered += 1
        await self.may.wait()
        if self.failure:
            raise self.failure
        return ScriptedPeer()


class Desk:
    """Sessions of a worker."""

    def __init__(self) -> None:
        self.peers = SlowPeers()
        services = Room().services
        self.sessions = Sessions(
            self.peers,
            IceServers(),
            take_turn=lambda said: take_turn(said, services),
            limits=SessionLimits(),
            audio=Limits(),
            most=5,
        )

    async def ask(self, offer: str = "v=0", key: str = "k") -> tuple[OpenSession, bool]:
        request = IdempotentRequest(RequestName("u", key), Fingerprint(key, offer))
        return await self.sessions.open_once(
            NewSession(user_id="u", conversation_id="c"), offer, SessionMessageCodec(100), request
        )


async def test_a_session_is_opened_once() -> None:
    """Others are told to come back while it is being opened, and then get it; one that ended is over."""
    desk = Desk()
    first = asyncio.create_task(desk.ask())
    await eventually(lambda: desk.peers.answered)
    with pytest.raises(Conflict) as running:
        await desk.ask()
    assert (running.value.code, running.value.retry_after) == ("idempotency-running", 1.0)
    desk.peers.may.set()
    opened, again = await first

    assert (await desk.ask(), again) == ((opened, True), False)
    with pytest.raises(KeyReused):
        await desk.ask("v=1")
    assert (await desk.ask(key="another"))[0] is not opened
    opened.live.close(Reason.DELETED)
    assert (await desk.ask())[0] is not opened
    await desk.sessions.close()


async def test_a_session_that_could_not_be_opened_may_be_asked_for_again() -> None:
    """Nothing is left of the failure."""
    desk = Desk()
    desk.peers.may.set()
    desk.peers.failure = InvalidInput("No.", code="offer-invalid")
    with pytest.raises(InvalidInput):
        await desk.ask()
    desk.peers.failure = None

    assert (await desk.ask())[1] is False
    await desk.sessions.close()
