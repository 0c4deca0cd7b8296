"""What schemathesis cannot make up: recordings, offers, ids of what exists, and every type that can be accepted.

It loads this module by the name in ``SCHEMATHESIS_HOOKS``; `contract` says in ``CONTRACT_KNOWN`` what it may refer to.
"""

import json
import os
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import count
from typing import Any

import schemathesis
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.hygiene.damage import damaged
from tests.hygiene.known import Known
from tests.hygiene.recordings import recordings

KNOWN = Known.from_json(os.environ["CONTRACT_KNOWN"])
VOICE = "en-US-AvaMultilingualNeural"
RECORDED = [data for kind, data in recordings().items() if "16000" in kind]
EVENTS: Mapping[str, Callable[[Any], Any]] = {
    "text/event-stream": lambda schema: schema["properties"]["data"]["contentSchema"],
    "application/x-ndjson": lambda schema: schema,
}
"""Where the contract says what an event is, by type."""

_turns = count()


def _sounds() -> st.SearchStrategy[bytes]:
    spoilt = st.integers(0, 10_000).map(lambda number: damaged(1, number, RECORDED)[1])
    return st.one_of(st.sampled_from(RECORDED), spoilt, st.binary(max_size=2_000))


def _texts(whole: str) -> st.SearchStrategy[bytes]:
    """*whole*, what is left of it when lines are lost, and anything else."""
    lines = whole.splitlines(keepends=True)
    lost = st.sets(st.integers(0, len(lines)), max_size=3)
    cut = lost.map(lambda gone: "".join(line for number, line in enumerate(lines) if number not in gone))
    return st.one_of(st.just(whole), cut, st.text(max_size=200)).map(str.encode)


schemathesis.openapi.media_type("audio/*", _sounds(), aliases=["video/*", "application/octet-stream"])
schemathesis.openapi.media_type("application/sdp", _texts(KNOWN.offer))
schemathesis.openapi.media_type("application/trickle-ice-sdpfrag", _texts(KNOWN.fragment))


REAL = {
    "voice": VOICE,
    "conversationId": KNOWN.ids["conversationId"],
    "audioData": b64encode(RECORDED[0]).decode(),
    "offer": {"type": "offer", "sdp": KNOWN.offer},
}
"""Members that name something that exists."""


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Every second request is about what exists; what can be accepted is, in its turn; few keys are used again."""
    turn = next(_turns)
    types = list(_answers(case.operation.definition.raw))
    if types:
        case.headers["Accept"] = types[turn // 2 % len(types)]
    if turn % 5 and "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] += f"-{turn}"
    if turn % 2:
        _make_real(case)
    _spare(case)


def _make_real(case: Any) -> None:
    for members in (case.query, case.body):
        if isinstance(members, dict):
            members.update({name: REAL[name] for name in members if name in REAL and members[name]})
    if case.path_parameters and case.method.upper() in ("GET", "PATCH"):
        case.path_parameters.update({name: KNOWN.ids[name] for name in case.path_parameters if name in KNOWN.ids})
        if "If-Match" in (case.headers or {}):
            case.headers["If-Match"] = "*"


def _spare(case: Any) -> None:
    """Nothing that the rest of the run is about is deleted; what the operations themselves have made may be."""
    if case.method.upper() == "DELETE":
        case.path_parameters.update(
            {n: "spared" for n, value in case.path_parameters.items() if value == KNOWN.ids.get(n)}
        )


def _answers(operation: dict[str, Any]) -> Iterator[str]:
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            yield from response.get("content", ())


@schemathesis.deserializer("application/x-ndjson")
def last_event(_context: Any, response: Any) -> Any:
    return json.loads(response.content.splitlines()[-1])


@schemathesis.check
def every_event_conforms(_context: Any, response: Any, case: Any) -> None:
    """The data of each event, and each line, is what the contract says."""
    told = response.headers.get("content-type", [""])[0].partition(";")[0]
    if told in EVENTS:
        content = case.operation.definition.raw["responses"][str(response.status_code)]["content"]
        components = json.dumps(case.operation.schema.raw_schema["components"])
        checking = _validator(json.dumps(EVENTS[told](content[told]["schema"])), components)
        for line in response.content.splitlines():
            if line.startswith((b"data: ", b"{")):
                checking.validate(json.loads(line.removeprefix(b"data: ")))


@cache
def _validator(schema: str, components: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema) | {"components": json.loads(components)})
