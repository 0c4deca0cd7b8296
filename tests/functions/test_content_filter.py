"""Complete turns with a model deployment whose content filter runs asynchronously."""

import json
import re
from base64 import b64decode
from typing import Any

import pytest

from emulators.script import Step
from tests.conftest import HEARD, Product
from tests.content_filter import SAFE, verdict
from tests.functions.turns import recording, sse, types


def body(*choices: dict[str, Any]) -> str:
    """A stream with one choice per chunk, and the beginning and end that the service sends."""
    prompt = {"choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": SAFE}]}
    chunks = [prompt, *({"choices": [{"index": 0, "finish_reason": None, **choice}]} for choice in choices)]
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"


HELLO = {"delta": {"content": "Hello there. "}}
REST = {"delta": {"content": "How are you?"}}
STOP = {"delta": {}, "finish_reason": "stop"}
REFUSAL = verdict(finish_reason="content_filter")

COMPLETE = {
    "first": body(verdict(), HELLO, REST, STOP),
    "between the tokens": body(HELLO, verdict(), REST, STOP),
    "delta null": body(HELLO, verdict(delta=None), REST, STOP),
    "after the end": body(HELLO, REST, STOP, verdict()),
}


@pytest.mark.parametrize("stream", COMPLETE.values(), ids=COMPLETE.keys())
async def test_a_turn_is_complete_whatever_the_filter_reports(product: Product, stream: str) -> None:
    """The complete reply is returned, spoken sentence by sentence, and stored; the assistant was called once."""
    product.services.openai.add("chat", Step(body=stream))
    async with product.post("/process", data=recording()) as response:
        answer = await response.json()

    assert response.status == 200, answer
    assert answer["transcription"].lower().startswith(HEARD)
    assert (answer["responseText"], answer["degraded"]) == ("Hello there. How are you?", [])
    assert len(b64decode(answer["audioData"])) == answer["durationMs"] * 48 > 0
    assert spoken(product) == {"Hello there.", "How are you?"}
    assert product.services.paid()["chat"] == 1
    async with product.get(f"/conversations/{answer['conversationId']}") as response:
        (turn,) = (await response.json())["turns"]
    assert turn["responseText"] == "Hello there. How are you?"


REFUSED = {
    "first": (body(REFUSAL), ""),
    "after the text": (body(HELLO, REFUSAL), "Hello there. "),
    "after the end": (body(HELLO, REST, STOP, REFUSAL), "Hello there. How are you?"),
}


@pytest.mark.parametrize(("stream", "delivered"), REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"], ids=["json", "events"])
async def test_a_late_refusal_is_a_refusal(product: Product, stream: str, delivered: str, accept: str) -> None:
    """The error is reply-refused with the text before it; the assistant is not called again, and nothing is stored."""
    product.services.openai.add("chat", Step(body=stream))
    async with product.post("/process", json={"text": "hi"}, headers={"Accept": accept}) as response:
        if delivered and accept == "text/event-stream":
            *before, problem = await sse(response)
            assert problem["type"] == "error"
            assert not {"error", "turn.done"} & set(types(before))
        else:
            assert response.status == 422
            problem = await response.json()

    assert (problem["code"], problem["stage"], problem["retryable"]) == ("reply-refused", "assistant", False)
    assert problem["transcription"] == "hi"
    assert problem.get("responseText", "") == delivered
    assert product.services.paid()["chat"] == 1
    async with product.get(f"/conversations/{problem['conversationId']}") as response:
        assert response.status == 404


def spoken(product: Product) -> set[str]:
    """The texts that were synthesised, as a set: two are synthesised at once, in no fixed order."""
    spoken = [served.facts["ssml"] for served in product.services.speech.served if served.operation == "tts"]
    return {re.sub(r"<[^>]*>", "", ssml).strip() for ssml in spoken}
