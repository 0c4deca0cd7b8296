"""The openai emulator serves the unmodified SDK, obeys its script, and notices when its caller leaves."""

import asyncio
import json
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import aiohttp
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from emulators.openai import openai_app
from emulators.openai.completion import tokens_of
from emulators.openai.server import due
from emulators.openai.stand_in import STAND_IN
from emulators.script import Script, Step
from emulators.serving import serving
from tests.eventually import eventually
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
    """The content of each chunk that has some."""
    stream = await client.chat.completions.create(model="m", messages=user(text), stream=True)
    return [
        chunk.choices[0].delta.content async for chunk in stream if chunk.choices and chunk.choices[0].delta.content
    ]


async def whole(client: openai.AsyncOpenAI, *messages: ChatCompletionMessageParam) -> str:
    completion = await client.chat.completions.create(model="m", messages=messages)
    return completion.choices[0].message.content or ""


async def test_a_reply_streams_in_words(client: openai.AsyncOpenAI) -> None:
    """The words of the streamed chunks make the reply that an unstreamed request gets."""
    pieces = await streamed(client)
    assert len(pieces) > 5
    assert "".join(pieces) == await whole(client, *user("Hello"))


@pytest.mark.parametrize("prefix", ["v1", "openai/v1"])
async def test_both_forms_of_the_endpoint_serve(url: str, prefix: str) -> None:
    """OpenAI's and Azure's base URL lead to the same assistant."""
    async with openai.AsyncOpenAI(base_url=f"{url}/{prefix}/", api_key="k") as client:
        assert STAND_IN in "".join(await streamed(client))
        assert [model.id async for model in await client.models.list()] == ["offline"]


async def test_chunks_have_openais_shape(client: openai.AsyncOpenAI) -> None:
    """The role comes first, then text, then the finish reason, then the usage that was asked for."""
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
    ("asked", "contains"),
    [
        ("What's the weather?", "You said: What's the weather? I am an offline"),
        ("what did I say before?", "Before that you said: My cat is Tom."),
        ("What did I say first?", "The first thing you said was: I like tea."),
        ("Repeat that", "What I said was: Noted, a cat."),
        ("...", "I did not catch any words."),
    ],
)
async def test_the_stand_in_uses_what_was_said(client: openai.AsyncOpenAI, asked: str, contains: str) -> None:
    """It reflects the last message, and finds earlier ones when it is asked for them."""
    reply = await whole(
        client,
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "I like tea"},
        {"role": "assistant", "content": "So do I."},
        {"role": "user", "content": [{"type": "text", "text": "My cat is Tom"}]},
        {"role": "assistant", "content": "Noted, a cat."},
        {"role": "user", "content": asked},
    )
    assert contains in reply
    assert STAND_IN in reply


async def test_the_stand_in_has_nothing_to_recall_at_first(client: openai.AsyncOpenAI) -> None:
    """Asked for earlier words in a first message, it says that there are none."""
    assert "nothing before this" in await whole(client, *user("What did I say before?"))


async def test_the_stand_in_stays_short(client: openai.AsyncOpenAI) -> None:
    """A long message is said back in part only."""
    assert len((await whole(client, *user("word " * 500))).split()) < 70


def test_tokens_are_words() -> None:
    """Tokens join to their text, one a word, whatever the white space."""
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
    """The log tells what was asked and what was sent."""
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


async def test_a_key_is_wanted(url: str, http: aiohttp.ClientSession) -> None:
    """Without a key there is a 401 in OpenAI's shape; Azure's own header will do as well."""
    body = {"model": "m", "messages": user("Hi")}
    async with http.post(f"{url}/v1/chat/completions", json=body) as answer:
        assert answer.status == 401
        assert (await answer.json())["error"]["code"] == "invalid_api_key"
    async with http.get(f"{url}/v1/models", headers={"Authorization": "Bearer "}) as answer:
        assert answer.status == 401
    async with http.post(f"{url}/openai/v1/chat/completions", json=body, headers={"api-key": "k"}) as answer:
        assert answer.status == 200


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
    """A 400 names the parameter that is wrong."""
    body = {"model": "m", "messages": user("Hi"), **change}
    async with http.post(f"{url}/v1/chat/completions", json=body, headers=KEY) as answer:
        error = (await answer.json())["error"]
        assert (answer.status, error["type"], error["param"]) == (400, "invalid_request_error", param)


async def test_a_body_that_is_no_json_is_refused(url: str, http: aiohttp.ClientSession) -> None:
    """Garbage in gives a 400, not a crash."""
    for garbage in (b"", b"{", b"[]", b"\xff"):
        async with http.post(f"{url}/v1/chat/completions", data=garbage, headers=KEY) as answer:
            assert answer.status == 400


async def test_unknown_fields_are_ignored(url: str, http: aiohttp.ClientSession) -> None:
    """A field this service does not know does no harm."""
    body = {"model": "m", "messages": user("Hi"), "seed": 1, "novelty": {"a": 1}}
    async with http.post(f"{url}/v1/chat/completions", json=body, headers=KEY) as answer:
        assert answer.status == 200


async def test_max_tokens_cut_the_reply(client: openai.AsyncOpenAI) -> None:
    """A reply longer than the request allows ends for its length."""
    completion = await client.chat.completions.create(model="m", messages=user("Hi"), max_completion_tokens=3)
    assert completion.choices[0].finish_reason == "length"
    assert completion.usage is not None
    assert completion.usage.completion_tokens == 3


async def test_a_scripted_status_is_answered(client: openai.AsyncOpenAI, script: Script) -> None:
    """A step's status, headers and body are the answer, and the next request is served again."""
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
    """The reply ends with the reason the step gives."""
    script.add("chat", Step(text="No.", finish_reason="content_filter"))
    completion = await client.chat.completions.create(model="m", messages=user("Hi"))
    assert completion.choices[0].finish_reason == "content_filter"


async def test_the_first_token_comes_when_it_should(client: openai.AsyncOpenAI, script: Script) -> None:
    """The waits before the connection and before the first token add up."""
    script.add("chat", Step(first_seconds=0.05, connect_seconds=0.05))
    start = monotonic()
    await client.chat.completions.create(model="m", messages=user("Hi"), stream=True)
    assert monotonic() - start >= 0.1


def test_lateness_does_not_add_up() -> None:
    """After a pause of the whole machine the tokens catch up with their pace: the last is due when it always was."""

    async def last_due() -> float:
        loop = asyncio.get_running_loop()
        for index in range(101):
            await due(Step(first_seconds=0.5, tokens_per_second=100), index, asked=0.0)
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
    """A cut before the document leaves the caller without an answer."""
    script.add("chat", Step(drop_after=0))
    with pytest.raises(openai.APIConnectionError):
        await whole(client, *user("Hi"))


async def test_a_hanging_request_is_never_answered(client: openai.AsyncOpenAI, script: Script) -> None:
    """The caller's own patience ends it, and the log shows that it hung."""
    script.add("chat", Step(hang=True))
    with pytest.raises(openai.APITimeoutError):
        await client.chat.completions.create(model="m", messages=user("Hi"), timeout=0.05)
    await eventually(lambda: script.served[0].ended)
    assert script.served[0].outcome == "hung"


@pytest.mark.parametrize(
    "step", [Step(first_seconds=30), Step(text="w " * 900, tokens_per_second=20)], ids=["waiting", "streaming"]
)
async def test_a_caller_that_leaves_is_noticed(client: openai.AsyncOpenAI, script: Script, step: Step) -> None:
    """Its request is cancelled, before the first token and after it."""
    script.add("chat", step)
    asking = asyncio.create_task(streamed(client))
    await eventually(lambda: script.served and (step.first_seconds or script.served[0].facts["tokens"] > 2))
    asking.cancel()
    await eventually(lambda: script.served[0].ended)
    assert script.served[0].outcome == "cancelled"


async def test_an_upstream_replies_instead(url: str, http: aiohttp.ClientSession) -> None:
    """Requests and keys go to the upstream, and its replies come back."""
    async with serving(openai_app(upstream=f"{url}/v1")) as front:
        async with openai.AsyncOpenAI(base_url=f"{front}/v1/", api_key="k") as client:
            assert "".join(await streamed(client, "Pass it on")).startswith("You said: Pass it on.")
            assert [model.id async for model in await client.models.list()] == ["offline"]
        async with http.get(f"{front}/v1/models") as answer:
            assert answer.status == 401


async def test_an_upstream_fails_as_it_does(url: str, script: Script) -> None:
    """Its refusals, its broken replies, and its absence all reach the caller."""
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


async def test_a_proxied_reply_streams_until_its_caller_leaves(url: str, script: Script) -> None:
    """A token arrives while the upstream is still writing, and leaving then ends the work there too."""
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
