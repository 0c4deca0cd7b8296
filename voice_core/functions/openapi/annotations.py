"""Operation ids, response headers and links of the contract."""

from collections.abc import Mapping

from voice_core.functions.openapi.operations import Json

NAMES: Mapping[str, str] = {
    "post /process": "takeTurn",
    "post /transcribe": "transcribe",
    "post /speak": "speak",
    "post /session": "openSession",
    "options /session": "askSessionOptions",
    "get /session/{sessionId}": "getSession",
    "patch /session/{sessionId}": "addCandidates",
    "delete /session/{sessionId}": "closeSession",
    "post /clips": "openClip",
    "get /clips/{clipId}": "getClip",
    "delete /clips/{clipId}": "cancelClip",
    "get /clips/{clipId}/{part}": "getClipPart",
    "get /conversations": "listConversations",
    "get /conversations/{conversationId}": "getConversation",
    "delete /conversations/{conversationId}": "deleteConversation",
    "get /conversations/{conversationId}/turns/{turnId}": "getTurn",
    "get /conversations/{conversationId}/turns/{turnId}/speech": "getSpeech",
    "get /voices": "listVoices",
    "get /health": "getHealth",
}
"""Operation ids, from which generated clients name their methods."""

_CONVERSATION = {"conversationId": "$response.body#/conversationId"}
_CLIP = {"clipId": "$response.body#/clipId"}
_SESSION = {"sessionId": "$response.body#/sessionId"}

LINKS: Mapping[tuple[str, str], Mapping[str, Mapping[str, str]]] = {
    ("takeTurn", "200"): {
        "getConversation": _CONVERSATION,
        "deleteConversation": _CONVERSATION,
        "getSpeech": _CONVERSATION | {"turnId": "$response.body#/turnId"},
    },
    ("openSession", "201"): {"getSession": _SESSION, "closeSession": _SESSION, "addCandidates": _SESSION},
    ("openClip", "202"): {
        "getClip": _CLIP,
        "cancelClip": _CLIP,
        "getClipPart": _CLIP | {"part": "transcript.json"},
        "getConversation": _CONVERSATION,
    },
}
"""Links by operation and status: each follow-up operation, and where its parameters come from."""

HEADERS: Mapping[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "X-Turn-Id": ("The turn's id. An audio response has it nowhere else.", (("takeTurn", "200"),)),
    "X-Conversation-Id": ("The conversation's id. An audio response has it nowhere else.", (("takeTurn", "200"),)),
    "Server-Timing": (
        "Milliseconds of each stage, where they are known before the response begins.",
        (("takeTurn", "200"),),
    ),
    "Location": ("The URL of the new session or clip.", (("openSession", "201"), ("openClip", "202"))),
    "ETag": (
        "The version of the state in this response.",
        (
            ("openSession", "201"),
            ("addCandidates", "204"),
            ("openClip", "202"),
            ("getClip", "200"),
            ("getSpeech", "200"),
        ),
    ),
    "Accept-Encoding": (
        "If the body's Content-Encoding is the reason: how bodies may be encoded.",
        (
            *(("takeTurn", "415"), ("transcribe", "415"), ("speak", "415")),
            *(("openSession", "415"), ("addCandidates", "415"), ("openClip", "415")),
        ),
    ),
    "Accept-Ranges": ("Whether byte ranges can be requested.", (("getSpeech", "200"),)),
    "Content-Range": (
        "The range of bytes in this response; after 416 the complete length.",
        (("getSpeech", "206"), ("getSpeech", "416")),
    ),
}
"""Description of each response header, and the responses (operation, status) that may have it."""

REQUEST_ID: Json = {
    "description": "The request's id in our log. Quote it when you report a problem.",
    "required": True,
    "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
}
RATE_LIMIT: Json = {
    "RateLimit-Policy": {
        "description": 'The limits that apply: `"turns";q=10;w=60` is ten turns within any 60 seconds.',
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": 'What remains of each limit: `"turns";r=7;t=12` is seven turns, and more in 12 seconds.',
        "schema": {"type": "string"},
    },
}
RETRY_AFTER: Json = {"description": "Seconds to wait before the next try.", "schema": {"type": "integer", "minimum": 1}}
RETRIED = {"202", "409", "429", "503"}
"""Statuses whose responses may have ``Retry-After``."""


def annotated(paths: Json) -> Json:
    """*paths* with ids, headers and links added to their operations, in place."""
    for path, operations in paths.items():
        for method, operation in operations.items():
            name = NAMES[f"{method} {path}"]
            operation["operationId"] = name
            for status, response in operation["responses"].items():
                # Every request with authentication is counted.
                limits = RATE_LIMIT if "security" not in operation and status != "401" else {}
                response["headers"] = limits | _headers(name, status) | response.get("headers", {})
                if links := LINKS.get((name, status)):
                    response["links"] = {to: {"operationId": to, "parameters": given} for to, given in links.items()}
    return paths


def _headers(name: str, status: str) -> Json:
    own = {
        header: {"description": description, "schema": {"type": "string"}}
        for header, (description, responses) in HEADERS.items()
        if (name, status) in responses
    }
    retried = {"Retry-After": RETRY_AFTER} if status in RETRIED else {}
    return {"X-Request-Id": REQUEST_ID} | retried | own
