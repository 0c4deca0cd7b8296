"""Sessions in telemetry."""

from typing import Any

from fakes.eventually import eventually
from tests.conftest import Product
from tests.functions.calls import call
from tests.telemetry.recording import Recording, ids


def events_of(recorded: Recording, name: str) -> list[dict[str, Any]]:
    """The attributes of the events called *name*."""
    events = [event.log_record for event in recorded.events]
    return [dict(event.attributes or {}) for event in events if event.body == name]


async def test_a_session_is_seen_from_its_start_to_its_end(product: Product, recorded: Recording) -> None:
    """Events have the user, the reason of the end and whether it was regular; the number of open ones is measured."""
    async with call(product):
        assert recorded.points("voice.sessions.active") == [({}, 1)]
    await eventually(lambda: events_of(recorded, "SessionCompleted"))

    (started,), (ended,) = events_of(recorded, "SessionStarted"), events_of(recorded, "SessionCompleted")
    assert started["enduser.pseudo.id"] == ended["enduser.pseudo.id"]
    assert (ended["Reason"], ended["Completed"]) == ("client-left", True)
    assert recorded.points("voice.sessions.active") == [({}, 0)]
    assert recorded.points("voice.sessions.ended") == [({"voice.reason": "client-left"}, 1)]


async def test_turns_of_a_session_are_spans_of_their_own(product: Product, recorded: Recording) -> None:
    """Turns are spans in the trace in which the session was negotiated, each with its own calls."""
    async with call(product) as (caller, _):
        for count in (1, 2):
            caller.say("input_text", text="hello")
            await caller.received("turn.done", count)
    turns = [span for span in recorded.spans if span.name == "turn"]
    chats = [span for span in recorded.spans if span.name == "chat offline"]

    assert len(turns) == len(chats) == 2
    assert len({ids(span)[0] for span in turns}) == 1
    assert len({ids(span)[1] for span in turns}) == 2
    assert {f"{chat.parent.span_id:016x}" for chat in chats if chat.parent} == {ids(turn)[1] for turn in turns}
