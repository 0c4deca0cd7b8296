"""The state machine of a session: whatever happens, in whatever order."""

from hypothesis import given
from hypothesis import strategies as st

from voice_core.domain.session import Reason, Session, SessionLimits, State

LIMITS = SessionLimits(connect_seconds=3, idle_seconds=5, max_seconds=40, grace_seconds=2)
STEPS = st.lists(
    st.tuples(
        st.floats(0, 4),
        st.one_of(st.sampled_from(State), st.sampled_from(Reason), st.sampled_from(["lose", "find", "look"])),
    ),
    max_size=40,
)


def after(session: Session, now: float, step: State | Reason | str) -> Session:
    match step:
        case State():
            return session.enter(step, now)
        case Reason():
            return session.close(step)
        case "lose":
            return session.lose(now)
        case "find":
            return session.find()
        case _:
            return session.at(now)


@given(STEPS)
def test_a_closed_session_stays_closed_for_its_first_reason(steps: list[tuple[float, State | Reason | str]]) -> None:
    """And only a closed one has a reason."""
    session, now = Session(began=0.0, limits=LIMITS), 0.0
    for pause, step in steps:
        now += pause
        before, session = session, after(session, now, step)
        assert session.closed == (session.reason is not None)
        if before.closed:
            assert session == before


@given(STEPS)
def test_no_session_outlives_its_limits(steps: list[tuple[float, State | Reason | str]]) -> None:
    """Looked at when it ends by its own account, it is closed with the reason it gave; a moment before, it is not."""
    session, now = Session(began=0.0, limits=LIMITS), 0.0
    for pause, step in steps:
        now += pause
        session = after(session, now, step)
    moment, reason = session.ends()

    assert moment <= session.expires == 40.0
    if not session.closed:
        assert session.at(moment).reason is reason
        assert not session.at(moment - 0.001).closed


@given(STEPS)
def test_nothing_is_said_before_the_media_is_connected(steps: list[tuple[float, State | Reason | str]]) -> None:
    """From negotiating the only way on is connected."""
    session, now = Session(began=0.0, limits=LIMITS), 0.0
    for pause, step in steps:
        now += pause
        before, session = session, after(session, now, step)
        if before.state is State.NEGOTIATING:
            assert session.state in (State.NEGOTIATING, State.CONNECTED, State.CLOSED)
        assert session.state is not State.NEGOTIATING or before.state is State.NEGOTIATING
