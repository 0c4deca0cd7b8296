"""The assistant with the real SDK, against a server that speaks its protocol."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from emulators.openai import openai_app
from emulators.openai.server import CONTENT_FILTERED
from emulators.script import Script, Step
from emulators.serving import serving
from fakes.eventually import eventually
from voice_core.adapters.azure_openai.assistant import AzureOpenAIAssistant
from voice_core.adapters.azure_openai.history import CUT_OFF_NOTE
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import Misconfigured, ReplyRefused, StageFailed, StageTimedOut, Throttled, VoiceError
from voice_core.ports import providers

KEY = "a-secret-key"
QUESTION = "a-private-question"
Make = Callable[..., AzureOpenAIAssistant]


def assistant_at(url: str, **changes: Any) -> AzureOpenAIAssistant:
    settings = {"key": KEY, "model": "m", "system_prompt": "Be brief.", **changes}
    return AzureOpenAIAssistant(f"{url}/openai/v1/", **settings)


@pytest.fixture(name="script")
def _script() -> Script:
    return Script()


@pytest.fixture(name="url")
async def _url(script: Script) -> AsyncIterator[str]:
    async with serving(openai_app(script=script)) as url:
        yield url


@pytest.fixture(name="make")
async def _make(url: str) -> AsyncIterator[Make]:
    """Creates assistants that call the emulator, and closes them after the test."""
    assistants: list[AzureOpenAIAssistant] = []

    def make(**changes: Any) -> AzureOpenAIAssistant:
        assistants.append(assistant_at(url, **changes))
        return assistants[-1]

    yield make
    for assistant in assistants:
        await assistant.close()


@pytest.fixture(name="assistant")
def _assistant(make: Make) -> AzureOpenAIAssistant:
    return make()


async def replied(assistant: AzureOpenAIAssistant, text: str = QUESTION, *history: Turn) -> list[str]:
    return [piece async for piece in assistant.reply(text, history)]


def turn(transcript: str, reply: str, *, interrupted: bool = False) -> Turn:
    return Turn("t", "c", transcript, reply, datetime(2025, 1, 1, tzinfo=UTC), interrupted=interrupted)


@asynccontextmanager
async def recording() -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """A server that records request bodies and ``Authorization`` headers, and replies "Ok."."""
    requests: list[dict[str, Any]] = []

    async def chat(request: web.Request) -> web.Response:
        requests.append(await request.json() | {"authorization": request.headers["Authorization"]})
        events = (
            '{"choices":[{"delta":{"content":"Ok."}}]}',
            '{"choices":[{"delta":{},"finish_reason":"stop"}]}',
            "[DONE]",
        )
        return web.Response(text="".join(f"data: {event}\n\n" for event in events), content_type="text/event-stream")

    app = web.Application()
    app.router.add_post("/openai/v1/chat/completions", chat)
    async with serving(app) as url:
        yield url, requests


async def sent(*history: Turn, **changes: Any) -> list[tuple[str, str]]:
    """The roles and contents of the messages that are sent to request a reply."""
    async with recording() as (url, requests):
        assistant = assistant_at(url, **changes)
        assert await replied(assistant, "Now?", *history) == ["Ok."]
        await assistant.close()
    return [(message["role"], message["content"]) for message in requests[0]["messages"]]


async def test_a_reply_arrives_in_pieces(assistant: AzureOpenAIAssistant, script: Script) -> None:
    """The words of the reply arrive one by one through the port."""
    port: providers.Assistant = assistant
    script.add("chat", Step(text="One two three."))
    assert [piece async for piece in port.reply(QUESTION, ())] == ["One ", "two ", "three."]


async def test_pieces_arrive_as_they_are_written(assistant: AzureOpenAIAssistant, script: Script) -> None:
    """The first piece does not wait for the second."""
    script.add("chat", Step(text="One two.", tokens_per_second=0.01))
    reply = assistant.reply(QUESTION, ())
    assert await anext(reply) == "One "
    await reply.aclose()


async def test_history_is_sent_oldest_first() -> None:
    """The system prompt is sent first, then past turns, then the new input."""
    assert await sent(turn("A", "a"), turn("B", "b")) == [
        ("system", "Be brief."),
        ("user", "A"),
        ("assistant", "a"),
        ("user", "B"),
        ("assistant", "b"),
        ("user", "Now?"),
    ]


async def test_a_turn_without_a_reply_adds_no_empty_message() -> None:
    """A turn whose assistant failed is sent as the user's message only."""
    assert await sent(turn("A", "")) == [("system", "Be brief."), ("user", "A"), ("user", "Now?")]


async def test_an_interrupted_reply_is_marked() -> None:
    """The history marks where a reply was cut off, and the system prompt explains the mark."""
    assert await sent(turn("A", "Once upon", interrupted=True), turn("B", "", interrupted=True)) == [
        ("system", f"Be brief.\n{CUT_OFF_NOTE}"),
        ("user", "A"),
        ("assistant", "Once upon —"),
        ("user", "B"),
        ("assistant", "—"),
        ("user", "Now?"),
    ]


@pytest.mark.parametrize(
    ("limits", "names"),
    [
        ({"history_turns": 2}, ["C", "D"]),
        ({"history_turns": 0}, []),
        ({"history_tokens": 8}, ["D"]),
        ({"history_tokens": 7}, []),
        ({"history_tokens": 16}, ["C", "D"]),
        ({"history_tokens": 32}, ["A", "B", "C", "D"]),
    ],
)
async def test_the_oldest_turns_are_dropped(limits: dict[str, int], names: list[str]) -> None:
    """Turns beyond the limit of turns or estimated tokens are dropped, oldest first; each turn here takes 8 tokens."""
    messages = await sent(*(turn(name, name.lower()) for name in "ABCD"), **limits)
    assert messages[1:] == [
        *(message for name in names for message in (("user", name), ("assistant", name.lower()))),
        ("user", "Now?"),
    ]


async def test_a_long_turn_excludes_those_before_it() -> None:
    """The history is the latest turns without a gap, even if an older one would fit."""
    assert len(await sent(turn("A", "a"), turn("long " * 100, "b"), turn("C", "c"), history_tokens=50)) == 4


async def test_the_request_names_model_and_limit() -> None:
    """Model, maximum length and streaming are requested with the parameters that current models accept."""
    async with recording() as (url, requests):
        assistant = assistant_at(url, max_reply_tokens=77)
        await replied(assistant)
        await assistant.close()
    assert (requests[0]["model"], requests[0]["max_completion_tokens"]) == ("m", 77)
    assert "reasoning_effort" not in requests[0]
    assert requests[0]["stream"] is True
    assert "max_tokens" not in requests[0]
    assert requests[0]["authorization"] == f"Bearer {KEY}"


async def test_the_reasoning_effort_is_sent() -> None:
    """The reasoning effort is sent when it is configured."""
    async with recording() as (url, requests):
        assistant = assistant_at(url, reasoning_effort="none")
        await replied(assistant)
        await assistant.close()

    assert requests[0]["reasoning_effort"] == "none"


async def test_each_request_gets_a_current_token() -> None:
    """A token that was renewed between two requests is used for the second."""
    tokens = iter(["first", "second"])

    async def token() -> str:
        return next(tokens)

    async with recording() as (url, requests):
        assistant = assistant_at(url, key=None, token=token)
        await replied(assistant)
        await replied(assistant)
        await assistant.close()
    assert [request["authorization"] for request in requests] == ["Bearer first", "Bearer second"]


async def test_a_credential_is_needed(url: str) -> None:
    """Without key and token, or without a valid URL, the configuration is refused."""
    with pytest.raises(Misconfigured) as missing:
        assistant_at(url, key=None)
    assert missing.value.stage == "assistant"
    for endpoint in ("http://host:port", "host", ""):
        with pytest.raises(Misconfigured):
            assistant_at(endpoint)


async def test_turns_share_one_connection(assistant: AzureOpenAIAssistant, script: Script) -> None:
    """The connection opened by warming serves the replies that follow."""
    await assistant.warm()
    await replied(assistant)
    await replied(assistant)
    assert [served.operation for served in script.served] == ["models", "chat", "chat"]
    assert len({served.facts["connection"] for served in script.served}) == 1


async def test_a_connection_the_server_closed_is_replaced(url: str, script: Script) -> None:
    """A pooled connection that the server closed is replaced, and the reply does not fail."""
    async with serving(openai_app(script=script)) as first:
        assistant = assistant_at(first)
        await replied(assistant)
    port = int(first.rpartition(":")[2])
    async with serving(openai_app(script=script), port):
        assert await replied(assistant)
    await assistant.close()
    assert [served.outcome for served in script.served] == ["done", "done"]


async def test_checking_costs_no_tokens(assistant: AzureOpenAIAssistant, script: Script) -> None:
    """A check requests the list of models only, and fails with the same errors as a reply."""
    checkable: providers.Checkable = assistant
    await checkable.check()
    script.add("models", Step(status=401), Step(status=503), Step(hang=True))
    for error in (Misconfigured, StageFailed):
        with pytest.raises(error):
            await assistant.check()
    assert {served.operation for served in script.served} == {"models"}


async def test_a_check_has_a_deadline(make: Make, script: Script) -> None:
    """A check of a service that does not respond times out."""
    script.add("models", Step(hang=True))
    with pytest.raises(StageTimedOut):
        await make(first_token_seconds=0.05).check()


DONE = "data: [DONE]\n\n"
STOPPED = 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
FAULTS: dict[str, tuple[Step, type[VoiceError], str, bool]] = {
    "key refused": (Step(status=401), Misconfigured, "stage-misconfigured", False),
    "forbidden": (Step(status=403), Misconfigured, "stage-misconfigured", False),
    "no deployment": (Step(status=404), Misconfigured, "stage-misconfigured", False),
    "no credit": (
        Step(status=429, body='{"error":{"code":"insufficient_quota"}}'),
        Misconfigured,
        "stage-misconfigured",
        False,
    ),
    "bad request": (Step(status=400), StageFailed, "stage-failed", False),
    "throttled": (Step(status=429), Throttled, "stage-throttled", True),
    "broken": (Step(status=500), StageFailed, "stage-failed", True),
    "overloaded": (Step(status=503, body="<html>"), StageFailed, "stage-failed", True),
    "prompt filtered": (Step(status=400, body=CONTENT_FILTERED), ReplyRefused, "reply-refused", False),
    "prompt filtered, by the inner code": (
        Step(status=400, body='{"error":{"code":"400","innererror":{"code":"ResponsibleAIPolicyViolation"}}}'),
        ReplyRefused,
        "reply-refused",
        False,
    ),
    "inner error of another kind": (
        Step(status=400, body='{"error":{"code":"400","innererror":[7]}}'),
        StageFailed,
        "stage-failed",
        False,
    ),
    "reply filtered": (Step(text="", finish_reason="content_filter"), ReplyRefused, "reply-refused", False),
    "filtered in the stream": (
        Step(body='data: {"error":{"message":"no","code":"content_filter"}}\n\n'),
        ReplyRefused,
        "reply-refused",
        False,
    ),
    "failed in the stream": (Step(body='data: {"error":{"message":"no"}}\n\n'), StageFailed, "stage-failed", True),
    "hang": (Step(hang=True), StageTimedOut, "stage-timed-out", True),
    "late": (Step(first_seconds=30), StageTimedOut, "stage-timed-out", True),
    "empty": (Step(text=""), StageFailed, "reply-empty", True),
    "web page": (Step(body="<html>Sign in</html>"), StageFailed, "stage-failed", True),
    "no JSON": (Step(body="data: {nonsense\n\n"), StageFailed, "stage-failed", True),
    "no text": (Step(body="data: \xff\xfe\n\n"), StageFailed, "stage-failed", True),
    "a number": (Step(body=f"data: 5\n\n{DONE}"), StageFailed, "stage-failed", True),
    "a list": (Step(body=f"data: [5]\n\n{DONE}"), StageFailed, "stage-failed", True),
    "choices of another kind": (Step(body=f'data: {{"choices":7}}\n\n{DONE}'), StageFailed, "stage-failed", True),
    "a choice of another kind": (Step(body=f'data: {{"choices":[7]}}\n\n{DONE}'), StageFailed, "stage-failed", True),
    "text of another kind": (
        Step(body=f'data: {{"choices":[{{"delta":{{"content":7}}}}]}}\n\n{DONE}'),
        StageFailed,
        "stage-failed",
        True,
    ),
    "dropped": (Step(drop_after=0), StageFailed, "stage-failed", True),
}


@pytest.mark.parametrize(("step", "error", "code", "retryable"), FAULTS.values(), ids=FAULTS.keys())
async def test_faults_become_our_errors(
    make: Make, script: Script, step: Step, error: type[VoiceError], code: str, retryable: bool
) -> None:
    """Each fault of the service becomes one error, whose detail contains no key, input or address."""
    script.add("chat", step)
    short = {"first_token_seconds": 0.3} if error is StageTimedOut else {}
    with pytest.raises(VoiceError) as raised:
        await replied(make(**short))
    failure = raised.value
    assert (type(failure), failure.code, failure.stage, failure.retryable) == (error, code, "assistant", retryable)
    assert not any(secret in failure.detail for secret in (KEY, QUESTION, "127.0.0.1"))
    await replied(make())


async def test_the_vendors_error_is_chained(assistant: AzureOpenAIAssistant, script: Script) -> None:
    """The SDK's error is the cause of ours, so that a log can show it."""
    script.add("chat", Step(status=500))
    with pytest.raises(StageFailed) as raised:
        await replied(assistant)
    assert "openai.InternalServerError" in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "20"}, 20.0),
        ({"Retry-After": "20", "retry-after-ms": "1500"}, 1.5),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-1"}, 0.0),
        ({"Retry-After": "172800"}, 172_800.0),
        ({"Retry-After": "172801"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "1e999"}, None),
        ({"Retry-After": "9" * 400}, None),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, None),
        ({"Retry-After": "Fri, 31 Dec 99999999999999999999 23:59:59 GMT"}, None),
        ({"retry-after-ms": "inf"}, None),
        ({"retry-after-ms": "nan", "Retry-After": "20"}, 20.0),
        ({"retry-after-ms": "1e999", "Retry-After": "20"}, 20.0),
        ({}, None),
    ],
)
async def test_a_throttled_turn_reports_the_wait_at_once(
    assistant: AzureOpenAIAssistant, script: Script, headers: dict[str, str], seconds: float | None
) -> None:
    """The error contains the seconds to wait, the turn does not wait itself, and only one request is made."""
    script.add("chat", Step(status=429, headers=headers))
    with pytest.raises(Throttled) as raised:
        await replied(assistant)
    assert raised.value.retry_after == seconds
    assert len(script.served) == 1


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (Step(text="a b c", drop_after=2), StageFailed),
        (Step(text="a b ", finish_reason="content_filter"), ReplyRefused),
        (Step(text="a b c d", tokens_per_second=0.01), StageTimedOut),
        (Step(body='data: {"choices":[{"delta":{"content":"a "}}]}\n\n' + DONE), StageFailed),
    ],
    ids=["dropped", "filtered", "stalled", "unfinished"],
)
async def test_text_before_a_failure_is_delivered(
    make: Make, script: Script, step: Step, error: type[VoiceError]
) -> None:
    """The text that arrived before the failure is delivered, and then the error is raised."""
    script.add("chat", step)
    short = {"next_token_seconds": 0.05} if error is StageTimedOut else {}
    pieces = []
    with pytest.raises(error):  # noqa: PT012 - the loop is what raises
        async for piece in make(**short).reply(QUESTION, ()):
            pieces.append(piece)  # noqa: PERF401
    assert pieces[0] == "a "


async def test_a_long_reply_is_cut_by_its_limit(make: Make) -> None:
    """A reply that reaches the token limit ends there, and is no failure."""
    assert len(await replied(make(max_reply_tokens=4))) == 4


async def test_chunks_without_text_are_ignored(assistant: AzureOpenAIAssistant, script: Script) -> None:
    """Reasoning, filter verdicts and usage are not part of the reply; a refusal that the model writes is."""
    thought = 'data: {"choices":[{"delta":{"role":"assistant","reasoning":"hm","reasoning_content":"hm"}}]}\n\n'
    verdict = 'data: {"choices":[],"prompt_filter_results":[]}\n\ndata: {"choices":null,"usage":{}}\n\n'
    refusal = 'data: {"choices":[{"delta":{"refusal":"I cannot."}}]}\n\n'
    script.add("chat", Step(body=verdict + thought + refusal + STOPPED + verdict + DONE))
    assert await replied(assistant) == ["I cannot."]


async def test_an_unreachable_service_fails_the_turn() -> None:
    """A refused connection is a retryable failure."""
    assistant = assistant_at("http://127.0.0.1:9")
    with pytest.raises(StageFailed) as raised:
        await replied(assistant)
    assert raised.value.retryable
    await assistant.close()


async def test_a_failing_identity_has_our_stage(make: Make) -> None:
    """An error while the token is fetched is reported as the assistant's failure."""

    async def token() -> str:
        raise Misconfigured("No identity.")

    with pytest.raises(Misconfigured) as raised:
        await replied(make(key=None, token=token))
    assert raised.value.stage == "assistant"


@pytest.mark.parametrize("read", [0, 3])
async def test_cancelling_a_reply_ends_its_request(assistant: AzureOpenAIAssistant, script: Script, read: int) -> None:
    """Cancelling and closing a reply ends its request at once, and the next reply is served."""
    script.add("chat", Step(text="w " * 90, first_seconds=None if read else 1000, tokens_per_second=20))
    reply = assistant.reply(QUESTION, ())
    for _ in range(read):
        await anext(reply)
    waiting = asyncio.ensure_future(anext(reply))
    await eventually(lambda: script.served)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await reply.aclose()
    await eventually(lambda: script.served[0].ended)
    assert script.served[0].outcome == "cancelled"
    assert await replied(assistant)


async def test_closing_a_reply_between_pieces_ends_its_request(assistant: AzureOpenAIAssistant, script: Script) -> None:
    """Closing a reply ends its request also while no caller waits for the next piece."""
    script.add("chat", Step(text="w " * 90, tokens_per_second=20))
    reply = assistant.reply(QUESTION, ())
    await anext(reply)
    await reply.aclose()
    await eventually(lambda: script.served[0].ended)
    assert script.served[0].outcome == "cancelled"
