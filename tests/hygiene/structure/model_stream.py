"""Streams of chat completion chunks, as OpenAI, Azure and other servers send them, or almost."""

import json
from typing import Any

from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.json_documents import value
from tests.hygiene.structure.written_text import written_text

FINISHED = ("length", "content_filter", "tool_calls", "", None)
CATEGORIES = ("hate", "violence", "jailbreak", "protected_material_text", "custom_blocklists")


def model_stream(draw: Draw) -> str:
    """Server-sent events with the tokens of a reply, verdicts of a content filter, usage and comments."""
    text = written_text(draw)
    tokens = [text[start : start + size] for start, size in _spans(draw, len(text))]
    chunks = [_chunk(draw, [_choice(draw, {"content": token}, None)]) for token in tokens]
    chunks.insert(0, _chunk(draw, [_choice(draw, {"role": "assistant", "content": ""}, None)]))
    chunks += [_chunk(draw, [_choice(draw, {}, draw.usually("stop", *FINISHED))])] if draw.likely(0.9) else []
    for _ in range(draw.few()):
        extra = draw.choice((_filter_chunk, _usage_chunk, _odd_chunk))(draw)
        chunks.insert(draw.randint(0, len(chunks)), extra)
    events = [f"data: {json.dumps(chunk, ensure_ascii=draw.likely(0.5))}" for chunk in chunks]
    if draw.likely(0.1 * draw.wrongness):
        events.insert(
            draw.randrange(len(events)),
            draw.choice(
                (
                    "data: {",
                    "data:",
                    'data: {"error": {"message": "x"}}',
                    "event: x",
                    "data: 1",
                    "data: null",
                    "data: []",
                )
            ),
        )
    events = [
        draw.usually(draw.choice(("", ": keep-alive\n\n")), "id: 1\nevent: message\n") + event for event in events
    ]
    events += ["data: [DONE]"] if draw.likely(0.9) else []
    end = draw.usually(draw.choice(("\n\n", "\r\n\r\n")), "\n")
    return end.join(events) + draw.choice((end, end, ""))


def _spans(draw: Draw, length: int) -> list[tuple[int, int]]:
    """Starts and lengths of tokens."""
    spans, at = [], 0
    width = draw.choice((1, 4, 4, 40, 5_000))
    while at < length:
        spans.append((at, draw.randint(1, width)))
        at += spans[-1][1]
    return spans


def _chunk(draw: Draw, choices: Any, **members: Any) -> dict[str, Any]:
    made = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **members}
    for name in [*made]:
        if draw.likely(0.005 * draw.wrongness):
            made[name] = value(draw, 2)
        elif draw.likely(0.003 * draw.wrongness):
            del made[name]
    return made


def _choice(draw: Draw, delta: Any, finish_reason: str | None) -> dict[str, Any]:
    made = {"index": draw.claim(0, 8, 0.01), "delta": delta, "finish_reason": finish_reason}
    if draw.likely(0.05):
        made["content_filter_results"] = _verdicts(draw)
    if draw.likely(0.03 * draw.wrongness):
        made["delta"] = draw.choice(
            (None, {}, {"refusal": "No."}, {"tool_calls": [{"index": 0}]}, {"reasoning_content": "x"})
        )
    if draw.likely(0.02 * draw.wrongness):
        made[draw.choice((*made,))] = value(draw, 2)
    return made


def _verdicts(draw: Draw) -> Any:
    verdict = {"filtered": draw.choice((False, False, True, None, 1)), "severity": "safe", "detected": draw.likely(0.2)}
    names = draw.some(CATEGORIES) or ["hate"]
    return draw.choice(({name: draw.choice((verdict, [verdict], value(draw, 1))) for name in names}, None, [], {}))


def _filter_chunk(draw: Draw) -> dict[str, Any]:
    """An annotation of Azure's asynchronous filter, whose choice has no delta."""
    choice = {
        "index": 0,
        "finish_reason": draw.choice((None, None, "content_filter")),
        "content_filter_results": _verdicts(draw),
        "content_filter_offsets": {"check_offset": draw.number(16), "start_offset": 0, "end_offset": draw.number(16)},
    }
    return _chunk(draw, [choice])


def _usage_chunk(draw: Draw) -> dict[str, Any]:
    details = draw.choice((None, {}, {"cached_tokens": 3}))
    usage = {
        "prompt_tokens": draw.number(16),
        "completion_tokens": 1,
        "total_tokens": 2,
        "prompt_tokens_details": details,
    }
    return _chunk(draw, [], usage=draw.choice((usage, None, {})))


def _odd_chunk(draw: Draw) -> dict[str, Any]:
    prompt = [{"prompt_index": 0, "content_filter_results": _verdicts(draw)}]
    choices: Any = draw.choice((None, [], [None], [_choice(draw, None, None)] * 3, draw.text(5)))
    return _chunk(draw, choices, prompt_filter_results=prompt)
