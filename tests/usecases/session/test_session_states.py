"""The state machine of a session: its invariants under random steps in any order."""

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
    """Nothing changes a closed session, and only a closed session has a reason."""
    session, now = Session(began=0.0, limits=LIMITS), 0.0
    for pause, step in steps:
        now += pause
        before, session = session, after(session, now, step)
        assert session.closed == (session.reason is not None)
        if before.closed:
            assert session == before


@given(STEPS)
def test_no_session_outlives_its_limits(steps: list[tuple[float, State | Reason | str]]) -> None:
    """A session closes at the time and for the reason that `ends` returns, and not a millisecond before."""
    session, now = Session(began=0.0, limits=LIMITS), 0.0
    for pause, step in steps:
        now += pause
        session = after(session, now, step)
    time, reason = session.ends()

    assert time <= session.expires == 40.0
    if not session.closed:
        assert session.at(time).reason is reason
        assert not session.at(time - 0.001).closed


@given(STEPS)
def test_the_state_after_negotiating_is_connected_or_closed(steps: list[tuple[float, State | Reason | str]]) -> None:
    """A session leaves NEGOTIATING only for CONNECTED or CLOSED, and never returns to it."""
    session, now = Session(began=0.0, limits=LIMITS), 0.0
    for pause, step in steps:
        now += pause
        before, session = session, after(session, now, step)
        if before.state is State.NEGOTIATING:
            assert session.state in (State.NEGOTIATING, State.CONNECTED, State.CLOSED)
        assert session.state is not State.NEGOTIATING or before.state is State.NEGOTIATING
