"""Small runs of the benchmark of sessions; their speed is not checked."""

from benchmarks import cycles, session
from benchmarks.peer import session as connected
from benchmarks.tones import TONES


async def test_replies_are_timed_and_complete() -> None:
    """No first sound comes before the floor, and no audio of one reply is in the next."""
    async with session.product("scripted") as server, connected(server) as caller:
        spoken = await session.turns(caller, 2)

    assert all(turn.first_ms > 900 for turn in spoken)
    assert [turn.tones & set(TONES) for turn in spoken] in ([{400}, {800}], [{800}, {400}])
    assert [turn.stale for turn in spoken] == [0, 0]
    assert all(abs(turn.seconds - session.SENT_SECONDS) <= 0.04 for turn in spoken)


async def test_closed_sessions_leave_no_resources() -> None:
    """Sessions that are opened and closed leave no task, thread or descriptor behind."""
    async with cycles.served() as (server, http):
        before = await cycles.resources(http)
        await cycles.open_and_close(http, 5, cut=6)
        leaked = await cycles.leaked(http, before)

    assert server.pid
    assert max(leaked.values()) <= 0
