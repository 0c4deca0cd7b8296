"""The openai emulator serves the unmodified SDK, obeys its script, and stops when its caller disconnects."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from time import monotonic
from typing import Any

import aiohttp
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from emulators.openai import openai_app
from emulators.openai.assistant import INTRODUCTION
from emulators.openai.completion import tokens_of
from emulators.openai.server import due
from emulators.script import Script, Step
from emulators.serving import serving
from fakes.eventually import eventually
from tests.virtual_time import block, in_virtual_time

KEY = {"Authorization": "Bearer anything"}


@pytest.fixture(name="script")
def _script() -> Script:
    return Script()


@pytest.fixture(name="url")
async def _url(script: Script) -> AsyncIterator[str]:
    async with serving(openai_app(script=script)) as url:
        yield url


@pytest.fixture(name="client")
async def _client(url: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1/", api_key="anything", max_retries=0) as client:
        yield client


@pytest.fixture(name="http")
async def _http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def user(*texts: str) -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": text} for text in texts]


async def streamed(client: openai.AsyncOpenAI, text: str = "Hello") -> list[str]:
    """The content of each chunk that has content."""
    stream = await client.chat.completions.create(model="m", messages=user(text), stream=True)
    return [
        chunk.choices[0].delta.content async for chunk in stream if chunk.choices and chunk.choices[0].delta.content
    ]


async def whole(client: openai.AsyncOpenAI, *messages: ChatCompletionMessageParam) -> str:
    completion = await client.chat.completions.create(model="m", messages=messages)
    return completion.choices[0].message.content or ""


async def test_a_reply_streams_in_words(client: openai.AsyncOpenAI) -> None:
    """The streamed chunks together are the reply to an unstreamed request."""
    pieces = await streamed(client)
    assert len(pieces) > 5
    assert "".join(pieces) == await whole(client, *user("Hello"))


@pytest.mark.parametrize("prefix", ["v1", "openai/v1"])
async def test_both_forms_of_the_endpoint_serve(url: str, prefix: str) -> None:
    """OpenAI's and Azure's base URL serve the same assistant."""
    async with openai.AsyncOpenAI(base_url=f"{url}/{prefix}/", api_key="k") as client:
        assert INTRODUCTION in "".join(await streamed(client))
        assert [model.id async for model in await client.models.list()] == ["offline"]


async def test_chunks_have_the_format_of_openai(client: openai.AsyncOpenAI) -> None:
    """The role comes first, then text, then the finish reason, then the usage, which was requested."""
    stream = await client.chat.completions.create(
        model="m", messages=user("Hi"), stream=True, stream_options={"include_usage": True}
    )
    *chunks, last = [chunk async for chunk in stream]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.completion_tokens == len(chunks) - 2
    assert last.usage.prompt_tokens == 1


@pytest.mark.parametrize(
    ("question", "contains"),
    [
        ("What's the weather?", "You said: What's the weather? That needs a model"),
        ("what did I say before?", "Before that you said: My cat is Tom."),
        ("What did I say first?", "The first thing you said was: I like tea."),
        ("Repeat that", "I said: Noted, a cat."),
        ("...", "I heard no words."),
    ],
)
async def test_the_assistant_repeats_the_conversation(client: openai.AsyncOpenAI, question: str, contains: str) -> None:
    """The reply repeats the last message, or an earlier one when the user wants to know it."""
    reply = await whole(
        client,
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "I like tea"},
        {"role": "assistant", "content": "So do I."},
        {"role": "user", "content": [{"type": "text", "text": "My cat is Tom"}]},
        {"role": "assistant", "content": "Noted, a cat."},
        {"role": "user", "content": question},
    )
    assert contains in reply
    assert INTRODUCTION not in reply


async def test_the_assistant_has_nothing_to_recall_at_first(client: openai.AsyncOpenAI) -> None:
    """A first message that refers to earlier words gets the reply that there are none."""
    assert "nothing before this" in await whole(client, *user("What did I say before?"))


async def test_the_assistant_stays_short(client: openai.AsyncOpenAI) -> None:
    """The reply repeats only a part of a long message."""
    assert len((await whole(client, *user("word " * 500))).split()) < 70


async def test_the_time_is_that_of_the_clock() -> None:
    """The assistant's time is that of the application's clock, at each request."""
    times = iter((datetime(2026, 11, 30, 8, 59), datetime(2026, 11, 30, 9, 0)))
    async with (
        serving(openai_app(clock=lambda: next(times))) as url,
        openai.AsyncOpenAI(base_url=f"{url}/v1/", api_key="k") as client,
    ):
        assert "8:59 AM" in await whole(client, *user("What time is it?"))
        assert "9:00 AM" in await whole(client, *user("What time is it?"))


def test_tokens_are_words() -> None:
    """Each word is a token, with any white space, and the tokens join to the text."""
    text = " one  two,\nthree. "
    assert tokens_of(text) == [" one  ", "two,\n", "three. "]
    assert tokens_of("") == []


async def test_a_scripted_text_has_a_token_a_word(client: openai.AsyncOpenAI, script: Script) -> None:
    """A text of sixty words is sixty chunks."""
    text = "word " * 59 + "end."
    script.add("chat", Step(text=text))
    pieces = await streamed(client)
    assert "".join(pieces) == text
    assert len(pieces) == script.served[0].facts["tokens"] == 60


async def test_requests_are_logged(client: openai.AsyncOpenAI, script: Script) -> None:
    """The log has the facts of the request and the number of tokens sent."""
    pieces = await streamed(client, "Log me")
    facts = script.served[0].facts
    assert script.served[0].outcome == "done"
    assert {**facts, "connection": 0} == {
        "model": "m",
        "messages": 1,
        "said": "Log me",
        "stream": True,
        "tokens": len(pieces),
        "connection": 0,
    }


async def test_a_key_is_required(url: str, http: aiohttp.ClientSession) -> None:
    """Without a key the response is a 401 in OpenAI's format; a key in Azure's own header is accepted too."""
    body = {"model": "m", "messages": user("Hi")}
    async with http.post(f"{url}/v1/chat/completions", json=body) as response:
        assert response.status == 401
        assert (await response.json())["error"]["code"] == "invalid_api_key"
    async with http.get(f"{url}/v1/models", headers={"Authorization": "Bearer "}) as response:
        assert response.status == 401
    async with http.post(f"{url}/openai/v1/chat/completions", json=body, headers={"api-key": "k"}) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 3}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "messages[0]"),
        ({"messages": [{"role": "robot", "content": "Hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": None}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": ["Hi"]}]}, "messages[0].content"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_completion_tokens": 0}, "max_completion_tokens"),
        ({"max_completion_tokens": 5, "max_tokens": 5}, "max_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
    ],
)
async def test_wrong_requests_are_refused(
    url: str, http: aiohttp.ClientSession, change: dict[str, Any], param: str
) -> None:
    """An invalid parameter gets a 400 that names it."""
    body = {"model": "m", "messages": user("Hi"), **change}
    async with http.post(f"{url}/v1/chat/completions", json=body, headers=KEY) as response:
        error = (await response.json())["error"]
        assert (response.status, error["type"], error["param"]) == (400, "invalid_request_error", param)


async def test_a_body_that_is_not_json_is_refused(url: str, http: aiohttp.ClientSession) -> None:
    """A malformed body gets a 400, not a crash."""
    for garbage in (b"", b"{", b"[]", b"\xff"):
        async with http.post(f"{url}/v1/chat/completions", data=garbage, headers=KEY) as response:
            assert response.status == 400


async def test_unknown_fields_are_ignored(url: str, http: aiohttp.ClientSession) -> None:
    """An unknown field has no effect."""
    body = {"model": "m", "messages": user("Hi"), "seed": 1, "novelty": {"a": 1}}
    async with http.post(f"{url}/v1/chat/completions", json=body, headers=KEY) as response:
        assert response.status == 200


async def test_max_tokens_truncate_the_reply(client: openai.AsyncOpenAI) -> None:
    """A reply that is longer than the request allows is cut and ends with the reason length."""
    completion = await client.chat.completions.create(model="m", messages=user("Hi"), max_completion_tokens=3)
    assert completion.choices[0].finish_reason == "length"
    assert completion.usage is not None
    assert completion.usage.completion_tokens == 3


async def test_a_scripted_status_is_returned(client: openai.AsyncOpenAI, script: Script) -> None:
    """A step's status, headers and body are the response, and the request after the steps is served."""
    script.add("chat", Step(status=429, headers={"Retry-After": "7"}), Step(status=500, body="<oops>"))
    with pytest.raises(openai.RateLimitError) as throttled:
        await streamed(client)
    assert throttled.value.response.headers["Retry-After"] == "7"
    with pytest.raises(openai.InternalServerError):
        await streamed(client)
    assert await streamed(client)
    assert [served.outcome for served in script.served] == ["status-429", "status-500", "done"]


async def test_a_scripted_body_alone_is_garbage_with_success(client: openai.AsyncOpenAI, script: Script) -> None:
    """The garbage reaches the caller as an event stream."""
    script.add("chat", Step(body="data: {nonsense\n\n"))
    with pytest.raises(json.JSONDecodeError):
        await streamed(client)


async def test_a_scripted_finish_reason_ends_the_reply(client: openai.AsyncOpenAI, script: Script) -> None:
    """The reply ends with the finish reason of the step."""
    script.add("chat", Step(text="No.", finish_reason="content_filter"))
    completion = await client.chat.completions.create(model="m", messages=user("Hi"))
    assert completion.choices[0].finish_reason == "content_filter"


async def test_the_first_token_comes_after_the_scripted_waits(client: openai.AsyncOpenAI, script: Script) -> None:
    """The waits before the connection and before the first token add up."""
    script.add("chat", Step(first_seconds=0.05, connect_seconds=0.05))
    start = monotonic()
    await client.chat.completions.create(model="m", messages=user("Hi"), stream=True)
    assert monotonic() - start >= 0.1


def test_delays_of_tokens_do_not_add_up() -> None:
    """After a pause of the machine the tokens catch up, so that the last is due at its original time."""

    async def last_due() -> float:
        loop = asyncio.get_running_loop()
        for index in range(101):
            await due(Step(first_seconds=0.5, tokens_per_second=100), index, began=0.0)
            if index == 1:
                block(0.9)
        return loop.time()

    assert in_virtual_time(last_due()) == pytest.approx(1.5)


async def test_a_dropped_connection_delivers_what_was_sent(client: openai.AsyncOpenAI, script: Script) -> None:
    """Exactly the tokens before the cut arrive, and then the connection fails."""
    script.add("chat", Step(text="a b c d e", drop_after=3))
    stream = await client.chat.completions.create(model="m", messages=user("Hi"), stream=True)
    received = [(await anext(stream)).choices[0].delta.content for _ in range(4)]
    assert received == ["", "a ", "b ", "c "]
    with pytest.raises(openai.APIConnectionError):
        await anext(stream)
    await eventually(lambda: script.served[0].ended)
    assert script.served[0].outcome == "dropped"


async def test_an_unstreamed_reply_can_be_dropped(client: openai.AsyncOpenAI, script: Script) -> None:
    """A cut before the document leaves the caller without a response."""
    script.add("chat", Step(drop_after=0))
    with pytest.raises(openai.APIConnectionError):
        await whole(client, *user("Hi"))


async def test_a_hanging_request_gets_no_response(client: openai.AsyncOpenAI, script: Script) -> None:
    """The caller's own timeout ends the request, and the log shows that it hung."""
    script.add("chat", Step(hang=True))
    with pytest.raises(openai.APITimeoutError):
        await client.chat.completions.create(model="m", messages=user("Hi"), timeout=0.05)
    await eventually(lambda: script.served[0].ended)
    assert script.served[0].outcome == "hung"


@pytest.mark.parametrize(
    "step", [Step(first_seconds=30), Step(text="w " * 900, tokens_per_second=20)], ids=["waiting", "streaming"]
)
async def test_a_disconnect_cancels_the_request(client: openai.AsyncOpenAI, script: Script, step: Step) -> None:
    """The request is cancelled, before the first token and after it."""
    script.add("chat", step)
    request = asyncio.create_task(streamed(client))
    await eventually(lambda: script.served and (step.first_seconds or script.served[0].facts["tokens"] > 2))
    request.cancel()
    await eventually(lambda: script.served[0].ended)
    assert script.served[0].outcome == "cancelled"


async def test_an_upstream_replies_instead(url: str, http: aiohttp.ClientSession) -> None:
    """Requests and keys go to the upstream, and its replies come back."""
    async with serving(openai_app(upstream=f"{url}/v1")) as front:
        async with openai.AsyncOpenAI(base_url=f"{front}/v1/", api_key="k") as client:
            assert "".join(await streamed(client, "Pass it on")).startswith("You said: Pass it on.")
            assert [model.id async for model in await client.models.list()] == ["offline"]
        async with http.get(f"{front}/v1/models") as response:
            assert response.status == 401


async def test_failures_of_an_upstream_are_passed_on(url: str, script: Script) -> None:
    """An upstream's refusal, its broken reply, and a failure to connect to it reach the caller."""
    script.add("chat", Step(status=429, headers={"Retry-After": "3"}), Step(text="a b", drop_after=1))
    async with (
        serving(openai_app(upstream=f"{url}/v1")) as front,
        openai.AsyncOpenAI(base_url=f"{front}/v1/", api_key="k", max_retries=0) as client,
    ):
        with pytest.raises(openai.RateLimitError) as throttled:
            await streamed(client)
        assert throttled.value.response.headers["Retry-After"] == "3"
        with pytest.raises(openai.APIConnectionError):
            await streamed(client)
    async with (
        serving(openai_app(upstream="http://127.0.0.1:9/v1")) as front,
        openai.AsyncOpenAI(base_url=f"{front}/v1/", api_key="k", max_retries=0) as client,
    ):
        with pytest.raises(openai.InternalServerError) as gone:
            await streamed(client)
        assert gone.value.status_code == 502


async def test_a_disconnect_cancels_the_upstream_request(url: str, script: Script) -> None:
    """A token arrives while the upstream is still writing, and a disconnect then cancels the upstream's request too."""
    script.add("chat", Step(text="one two", tokens_per_second=0.01))
    async with (
        serving(openai_app(upstream=f"{url}/v1")) as front,
        openai.AsyncOpenAI(base_url=f"{front}/v1/", api_key="k", max_retries=0) as client,
    ):
        stream = await client.chat.completions.create(model="m", messages=user("Hi"), stream=True)
        assert [(await anext(stream)).choices[0].delta.content for _ in range(2)] == ["", "one "]
        await stream.close()
        await eventually(lambda: script.served[0].ended)
        assert script.served[0].outcome == "cancelled"
