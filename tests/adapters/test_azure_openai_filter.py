"""Azure's asynchronous content filter: its verdicts arrive in chunks of their own, whose choice has no ``delta``."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from emulators.openai import openai_app
from emulators.script import Script, Step
from emulators.serving import serving
from tests.adapters.test_azure_openai import QUESTION, assistant_at, replied
from tests.content_filter import SAFE, verdict
from voice_core.adapters.azure_openai.assistant import AzureOpenAIAssistant
from voice_core.domain.errors import ReplyRefused, StageFailed

DONE = "data: [DONE]\n\n"
BLOCKED = {
    "hate": {"filtered": False, "severity": "safe"},
    "protected_material_text": {"detected": True, "filtered": True},
}


def chunk(*choices: dict[str, Any], **more: Any) -> str:
    """An event of the stream."""
    return f"data: {json.dumps({'id': 'c', 'object': 'chat.completion.chunk', 'choices': choices, **more})}\n\n"


def text(content: Any, **more: Any) -> dict[str, Any]:
    """A choice with a token."""
    return {"index": 0, "delta": {"content": content}, "finish_reason": None, **more}


PROMPT = chunk(prompt_filter_results=[{"prompt_index": 0, "content_filter_results": SAFE}])
ROLE = chunk({"index": 0, "delta": {"role": "assistant", "content": "", "refusal": None}, "finish_reason": None})
STOP = chunk({"index": 0, "delta": {}, "finish_reason": "stop"})
USAGE = chunk(usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3})
ANNOTATION = chunk(verdict())
REFUSAL = chunk(verdict(finish_reason="content_filter"))
UNAVAILABLE = {"error": {"code": "content_filter_error", "message": "The contents are not filtered"}}
HELLO, THERE = chunk(text("Hello ")), chunk(text("there."))


@pytest.fixture(name="script")
def _script() -> Script:
    return Script()


@pytest.fixture(name="assistant")
async def _assistant(script: Script) -> AsyncIterator[AzureOpenAIAssistant]:
    async with serving(openai_app(script=script)) as url:
        assistant = assistant_at(url)
        yield assistant
        await assistant.close()


COMPLETE: dict[str, list[str]] = {
    "before the text": [PROMPT, ANNOTATION, ROLE, HELLO, THERE, STOP],
    "in the text": [PROMPT, ROLE, HELLO, ANNOTATION, THERE, STOP],
    "at the end of the text": [ROLE, HELLO, THERE, ANNOTATION, STOP],
    "after the end": [ROLE, HELLO, THERE, STOP, ANNOTATION, USAGE],
    "everywhere": [PROMPT, ANNOTATION, ROLE, ANNOTATION, HELLO, ANNOTATION, THERE, ANNOTATION, STOP, ANNOTATION],
    "delta null": [ROLE, HELLO, chunk(verdict(delta=None)), THERE, STOP],
    "delta empty": [ROLE, HELLO, chunk(verdict(delta={})), THERE, STOP],
    "no content": [ROLE, HELLO, chunk(verdict(delta={"role": "assistant"})), THERE, STOP],
    "content null": [ROLE, HELLO, chunk(verdict(delta={"content": None})), THERE, STOP],
    "bare choice": [ROLE, HELLO, chunk({"index": 0}), THERE, STOP],
    "empty choice": [ROLE, HELLO, chunk({}), THERE, STOP],
    "end in a verdict": [ROLE, HELLO, THERE, chunk(verdict(finish_reason="stop"))],
    "verdict beside the text": [ROLE, HELLO, chunk(text("there."), verdict()), STOP],
    "verdict within the text": [ROLE, HELLO, chunk(text("there.", content_filter_results=SAFE)), STOP],
    "results null": [ROLE, HELLO, chunk(verdict(content_filter_results=None)), THERE, STOP],
    "results of another kind": [ROLE, HELLO, chunk(verdict(content_filter_results=[7, {}])), THERE, STOP],
    "a category of another kind": [ROLE, HELLO, chunk(verdict(content_filter_results={"hate": 7})), THERE, STOP],
    "filter unavailable": [ROLE, HELLO, chunk(verdict(content_filter_result=UNAVAILABLE)), THERE, STOP],
    "filter unavailable, results": [ROLE, HELLO, chunk(verdict(content_filter_results=UNAVAILABLE)), THERE, STOP],
    "another reply": [ROLE, HELLO, chunk({**text("No."), "index": 1}), chunk({"index": 1}), THERE, STOP],
    "another reply first": [ROLE, HELLO, chunk({**text("No."), "index": 1}, text("there.")), STOP],
    "another reply is refused": [ROLE, HELLO, chunk(verdict(index=1, finish_reason="content_filter")), THERE, STOP],
}


@pytest.mark.parametrize("events", COMPLETE.values(), ids=COMPLETE.keys())
async def test_a_verdict_is_no_text_and_no_failure(
    assistant: AzureOpenAIAssistant, script: Script, events: list[str]
) -> None:
    """Wherever the filter's verdicts stand between the tokens, the reply is complete and requested once."""
    script.add("chat", Step(body="".join([*events, DONE])))
    assert await replied(assistant) == ["Hello ", "there."]
    assert len(script.served) == 1


REFUSED: dict[str, tuple[list[str], list[str]]] = {
    "in the text": ([ROLE, HELLO, REFUSAL], ["Hello "]),
    "after the text": ([PROMPT, ROLE, HELLO, THERE, REFUSAL], ["Hello ", "there."]),
    "after the end": ([ROLE, HELLO, THERE, STOP, REFUSAL, USAGE], ["Hello ", "there."]),
    "before the end": ([ROLE, HELLO, THERE, REFUSAL, STOP, USAGE], ["Hello ", "there."]),
    "before more text": ([ROLE, HELLO, REFUSAL, THERE, STOP], ["Hello "]),
    "before a break": ([ROLE, HELLO, REFUSAL, chunk("garbage")], ["Hello "]),  # type: ignore[arg-type]
    "delta null": ([ROLE, HELLO, chunk(verdict(delta=None, finish_reason="content_filter"))], ["Hello "]),
    "with a delta": ([ROLE, HELLO, chunk({**text(None), "finish_reason": "content_filter"})], ["Hello "]),
    "in two choices": (
        [ROLE, HELLO, chunk({**text("x"), "finish_reason": "stop"}, verdict(finish_reason="content_filter"))],
        ["Hello "],
    ),
    "with the category": (
        [ROLE, HELLO, chunk(verdict(finish_reason="content_filter", content_filter_results=BLOCKED))],
        ["Hello "],
    ),
    "only by the category": (
        [ROLE, HELLO, THERE, chunk(verdict(content_filter_results=BLOCKED)), STOP],
        ["Hello ", "there."],
    ),
    "only by a blocklist": (
        [ROLE, HELLO, chunk(verdict(content_filter_results={"custom_blocklists": [7, {"id": "b", "filtered": True}]}))],
        ["Hello "],
    ),
    "at once": ([REFUSAL], []),
    "before the first token": ([PROMPT, ROLE, REFUSAL], []),
}


@pytest.mark.parametrize(("events", "delivered"), REFUSED.values(), ids=REFUSED.keys())
async def test_a_verdict_may_refuse_the_reply(
    assistant: AzureOpenAIAssistant, script: Script, events: list[str], delivered: list[str]
) -> None:
    """The filter's refusal is final, before and after any text and any other end; nothing after it is delivered."""
    script.add("chat", Step(body="".join([*events, DONE])))
    pieces = []
    with pytest.raises(ReplyRefused) as raised:  # noqa: PT012 - the loop is what raises
        async for piece in assistant.reply(QUESTION, ()):
            pieces.append(piece)  # noqa: PERF401
    assert pieces == delivered
    assert (raised.value.code, raised.value.retryable, len(script.served)) == ("reply-refused", False, 1)


ODD: dict[str, dict[str, Any]] = {
    "a number": {"index": 0, "delta": 7},
    "a text": {"index": 0, "delta": "Hello."},
    "a list": {"index": 0, "delta": ["Hello."]},
    "content an object": text({"text": "Hello."}),
    "content a list": text(["Hello."]),
    "refusal a number": {"index": 0, "delta": {"refusal": 7}},
}


@pytest.mark.parametrize("choice", ODD.values(), ids=ODD.keys())
async def test_a_delta_of_another_kind_is_a_failure(
    assistant: AzureOpenAIAssistant, script: Script, choice: dict[str, Any]
) -> None:
    """A missing or null delta means no text; any other delta that cannot be read is a failure, not skipped."""
    script.add("chat", Step(body=chunk(choice) + STOP + DONE))
    with pytest.raises(StageFailed) as raised:
        await replied(assistant)
    assert (raised.value.code, raised.value.stage) == ("stage-failed", "assistant")
