"""Values that schemathesis cannot generate: recordings, offers, ids of existing resources, and each media type.

schemathesis loads this module by the name in ``SCHEMATHESIS_HOOKS``. `contract` passes the existing resources in
``CONTRACT_KNOWN``, as JSON of `KnownResources`.
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
from tests.hygiene.known_requests import KnownResources
from tests.hygiene.recordings import recordings

KNOWN = KnownResources.from_json(os.environ["CONTRACT_KNOWN"])
VOICE = "en-US-AvaMultilingualNeural"
RECORDED = [data for kind, data in recordings().items() if "16000" in kind]
EVENTS: Mapping[str, Callable[[Any], Any]] = {
    "text/event-stream": lambda schema: schema["properties"]["data"]["contentSchema"],
    "application/x-ndjson": lambda schema: schema,
}
"""Schema of one event within the schema of a streamed response, by media type."""

_turns = count()


def _sounds() -> st.SearchStrategy[bytes]:
    damaged_sounds = st.integers(0, 10_000).map(lambda number: damaged(1, number, RECORDED)[1])
    return st.one_of(st.sampled_from(RECORDED), damaged_sounds, st.binary(max_size=2_000))


def _texts(complete: str) -> st.SearchStrategy[bytes]:
    """*complete*, *complete* without up to three of its lines, and arbitrary text."""
    lines = complete.splitlines(keepends=True)
    omitted = st.sets(st.integers(0, len(lines)), max_size=3)
    cut = omitted.map(lambda numbers: "".join(line for number, line in enumerate(lines) if number not in numbers))
    return st.one_of(st.just(complete), cut, st.text(max_size=200)).map(str.encode)


schemathesis.openapi.media_type("audio/*", _sounds(), aliases=["video/*", "application/octet-stream"])
schemathesis.openapi.media_type("application/sdp", _texts(KNOWN.offer))
schemathesis.openapi.media_type("application/trickle-ice-sdpfrag", _texts(KNOWN.fragment))


EXISTING = {
    "voice": VOICE,
    "conversationId": KNOWN.ids["conversationId"],
    "audioData": b64encode(RECORDED[0]).decode(),
    "offer": {"type": "offer", "sdp": KNOWN.offer},
}
"""Members that refer to something that exists, with a valid value."""


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Point every second request at existing resources, rotate `Accept`, and make most idempotency keys unique."""
    turn = next(_turns)
    types = list(_success_types(case.operation.definition.raw))
    if types:
        case.headers["Accept"] = types[turn // 2 % len(types)]
    if turn % 5 and "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] += f"-{turn}"
    if turn % 2:
        _refer_to_existing(case)
    _protect(case)


def _refer_to_existing(case: Any) -> None:
    for members in (case.query, case.body):
        if isinstance(members, dict):
            members.update({name: EXISTING[name] for name in members if name in EXISTING and members[name]})
    if case.path_parameters and case.method.upper() in ("GET", "PATCH"):
        case.path_parameters.update({name: KNOWN.ids[name] for name in case.path_parameters if name in KNOWN.ids})
        if "If-Match" in (case.headers or {}):
            case.headers["If-Match"] = "*"


def _protect(case: Any) -> None:
    """Keep a DELETE from removing the known resources. Resources that the run itself created may be deleted."""
    if case.method.upper() == "DELETE":
        case.path_parameters.update(
            {n: "protected" for n, value in case.path_parameters.items() if value == KNOWN.ids.get(n)}
        )


def _success_types(operation: dict[str, Any]) -> Iterator[str]:
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            yield from response.get("content", ())


@schemathesis.deserializer("application/x-ndjson")
def last_event(_context: Any, response: Any) -> Any:
    return json.loads(response.content.splitlines()[-1])


@schemathesis.check
def every_event_conforms(_context: Any, response: Any, case: Any) -> None:
    """The data of each event, and each line of NDJSON, conforms to its schema in the contract."""
    media_type = response.headers.get("content-type", [""])[0].partition(";")[0]
    if media_type in EVENTS:
        content = case.operation.definition.raw["responses"][str(response.status_code)]["content"]
        components = json.dumps(case.operation.schema.raw_schema["components"])
        validator = _validator(json.dumps(EVENTS[media_type](content[media_type]["schema"])), components)
        for line in response.content.splitlines():
            if line.startswith((b"data: ", b"{")):
                validator.validate(json.loads(line.removeprefix(b"data: ")))


@cache
def _validator(schema: str, components: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema) | {"components": json.loads(components)})
