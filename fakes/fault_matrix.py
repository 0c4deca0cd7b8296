"""Every fault of every dependency, and the response that the caller must get."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fakes.fault_wire import GARBAGE, PAGE, Fault

REFUSED = Fault("refused", refuses=True)
TIMEOUT = Fault("timeout", silent=True)
DRIP = Fault("slow drip", drips=True)
DROPPED = Fault("dropped mid-stream", cut_after=0)
"""Each row has its own number of bytes before the cut."""
THROTTLED = Fault("429 with Retry-After", status=429, retry_after=7)
GARBLED = Fault("garbage", raw=GARBAGE)
WEB_PAGE = Fault("a web page", status=200, body=PAGE)

JSON = (("Content-Type", "application/json"),)
ELSEWHERE = (("Location", "http://127.0.0.1:1/"),)
"""An address without a server: a client that follows the redirect is refused."""
ENDLESS = (("Retry-After", "9" * 400), ("x-ms-retry-after-ms", "inf"))

UNEXPECTED_JSON = (
    *(Fault(f"`{body.decode()}`", status=200, headers=JSON, body=body) for body in (b"{}", b"null")),
    Fault("nothing", status=200, headers=JSON),
)
"""Well-formed responses with an unexpected content."""
BAD_GZIP = Fault("bad gzip", status=200, headers=(*JSON, ("Content-Encoding", "gzip")), body=b"{}")
REDIRECT = Fault("a redirect", status=302, headers=ELSEWHERE)
THROTTLED_FOREVER = Fault("429 with an endless Retry-After", status=429, headers=ENDLESS)

FAULTS = (
    REFUSED,
    TIMEOUT,
    DRIP,
    DROPPED,
    *(Fault(str(status), status=status) for status in (401, 403, 404)),
    THROTTLED,
    *(Fault(str(status), status=status) for status in (429, 500, 503)),
    GARBLED,
    WEB_PAGE,
    *UNEXPECTED_JSON,
    BAD_GZIP,
    REDIRECT,
    THROTTLED_FOREVER,
)

SLOW = (TIMEOUT.name, DRIP.name)
"""Faults that take as long as the deadline allows."""
SHORT_SECONDS, LONG_SECONDS = 0.5, 3.0
"""Deadlines of the failing service: the short one for slow faults, the long one for others, which must end earlier."""

WELL_SECONDS = 30.0
"""The deadline of the services that do not fail."""

DEADLINES: Mapping[str, tuple[str, ...]] = {
    "speech": ("stt_seconds", "tts_seconds"),
    "openai": ("assistant_seconds",),
    "cosmos": ("conversations_seconds", "limits_seconds"),
    "blob": ("storage_seconds",),
    "issuer": ("identity_seconds",),
}
"""Deadline settings by service."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The expected response to the caller."""

    status: int
    code: str = ""
    stage: str = ""
    retryable: bool = False
    retry_after: bool = False
    results: tuple[str, ...] = ()
    """Members of the response with results of the stages before the failure."""
    degraded: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.code:
            return f"{self.status}, degraded: {', '.join(self.degraded)}" if self.degraded else f"{self.status}"
        retry = ("retryable, Retry-After" if self.retry_after else "retryable") if self.retryable else "final"
        return f"{self.status} `{self.code}` of {self.stage}, {retry}"


@dataclass(frozen=True, slots=True)
class Row:
    """One dependency of one request."""

    name: str
    service: str
    """The service whose wire fails: speech, openai, cosmos, blob or issuer."""
    request: Mapping[str, Any]
    """Method, path, and further arguments for aiohttp."""
    outcomes: Mapping[str, Outcome]
    """Expected outcomes by fault name."""
    cut_after: int = 100
    """Bytes of a response before the cut of `DROPPED`."""
    waits: int = 1
    """Deadlines that a fault can use up, one after the other."""
    cold: bool = False
    """No request is served before the fault, because the product would cache its result."""
    keyed: bool = False
    """The request has an Idempotency-Key, a new one each time."""
    settings: Mapping[str, Any] = field(default_factory=dict)

    def fault(self, fault: Fault) -> Fault:
        return replace(fault, cut_after=self.cut_after) if fault.cut_after is not None else fault


def failing(stage: str, *results: str, **others: Outcome) -> dict[str, Outcome]:
    """Outcomes for a stage without which the request fails."""
    bad = Outcome(502, "stage-misconfigured", stage, results=results)
    failed = Outcome(502, "stage-failed", stage, retryable=True, results=results)
    late = Outcome(504, "stage-timed-out", stage, retryable=True, results=results)
    throttled = Outcome(503, "stage-throttled", stage, retryable=True, results=results)
    usual = {
        REFUSED: Outcome(503, "stage-unreachable", stage, retryable=True, results=results),
        TIMEOUT: late,
        DRIP: late,
        THROTTLED: replace(throttled, retry_after=True),
        THROTTLED_FOREVER: throttled,
    }
    by_status = {"401": bad, "403": bad, "404": bad, "429": throttled}
    return {fault.name: usual.get(fault) or by_status.get(fault.name, failed) for fault in FAULTS} | others


def degrading(part: str, *results: str) -> dict[str, Outcome]:
    """Outcomes for a stage without which the response lacks *part*."""
    return dict.fromkeys((fault.name for fault in FAULTS), Outcome(200, results=results, degraded=(part,)))


def speech_service(stage: str, *results: str) -> dict[str, Outcome]:
    """Outcomes for the Speech service, whose SDK does not expose the headers of a refusal."""
    usual = failing(stage, *results)
    return usual | {THROTTLED.name: usual["429"]}


WORDS = ("transcription", "responseText")
UNSPOKEN = degrading("speech", *WORDS) | {
    DROPPED.name: Outcome(200, results=(*WORDS, "audioData"), degraded=("speech",))
}
FORGOTTEN = degrading("conversation", *WORDS, "audioData")
UNWRITTEN = failing("assistant", "transcription") | {
    DROPPED.name: Outcome(502, "stage-failed", "assistant", retryable=True, results=WORDS),
}
STORAGE = failing("storage")
STORAGE |= {"503": STORAGE["429"]}
"""Blob storage throttles with 503, other services with 429."""

UNKEYED = {name: replace(outcome, degraded=("idempotency", "conversation")) for name, outcome in FORGOTTEN.items()}
UNSIGNED = dict.fromkeys(STORAGE, Outcome(503, "stage-unreachable", "identity", retryable=True, retry_after=True))
"""The same outcome for every fault of the token issuer: the caller cannot be identified."""
UNCOUNTED = dict.fromkeys(STORAGE, Outcome(503, "stage-unreachable", "limits", retryable=True))
JOBS = failing("clips")
JOBS |= {"404": Outcome(404, "clip-not-found", "clips")}
"""A 404 of the store looks like a missing document."""

RECORDING: dict[str, Any] = {"method": "POST", "path": "/process", "spoken": True}
TYPED: dict[str, Any] = {"method": "POST", "path": "/process", "json": {"text": "Tell me about the weather."}}
STORED: dict[str, Any] = TYPED | {"json": {"text": "Hello there.", "speech": "url"}}
SPOKEN: dict[str, Any] = {
    "method": "POST",
    "path": "/speak",
    "json": {"text": "Hello there."},
    "headers": {"Accept": "application/json"},
}
EVENTS: dict[str, Any] = {"headers": {"Accept": "text/event-stream"}}

ROWS = (
    Row("recognition", "speech", RECORDING, speech_service("stt"), cut_after=700),
    Row("recognition, as events", "speech", RECORDING | EVENTS, speech_service("stt"), cut_after=700),
    Row("assistant", "openai", RECORDING, UNWRITTEN, cut_after=900),
    Row("assistant, as events", "openai", RECORDING | EVENTS, UNWRITTEN, cut_after=900),
    Row("synthesis", "speech", TYPED, UNSPOKEN, cut_after=9_000),
    Row("synthesis, as events", "speech", TYPED | EVENTS, UNSPOKEN, cut_after=9_000),
    Row("synthesis alone", "speech", SPOKEN, speech_service("tts"), cut_after=9_000),
    Row("list of voices", "speech", {"method": "GET", "path": "/voices"}, failing("tts"), cold=True),
    Row("conversation of a turn", "cosmos", TYPED, FORGOTTEN, waits=2),
    Row("turn with a key", "cosmos", TYPED, UNKEYED, waits=4, keyed=True),
    Row("list of conversations", "cosmos", {"method": "GET", "path": "/conversations"}, failing("conversations")),
    Row("limits, strict", "cosmos", TYPED, UNCOUNTED, settings={"limits_when_down": "closed"}),
    Row(
        "clip, created",
        "blob",
        {"method": "POST", "path": "/clips", "json": {}},
        STORAGE | {fault.name: Outcome(202) for fault in (WEB_PAGE, *UNEXPECTED_JSON)},
    ),
    Row("clip, fetched", "cosmos", {"method": "GET", "path": "/clips/{clip}"}, JOBS),
    Row("speech, stored", "blob", STORED, degrading("speech", *WORDS)),
    Row("keys of the issuer", "issuer", TYPED, UNSIGNED, cold=True, settings={"auth_mode": "jwt"}),
    Row("speech, fetched", "blob", {"method": "GET", "path": "{speech}"}, STORAGE),
)
