"""What the operations of the contract have besides: names, the headers of their answers, and where those lead."""

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
    "get /conversations/{conversationId}/turns/{turnId}/speech": "getSpeech",
    "get /voices": "listVoices",
    "get /health": "getHealth",
}
"""What generated clients call each operation."""

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
"""By operation and status: what can be done next, and where its parameters are found."""

HEADERS: Mapping[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "X-Turn-Id": ("The turn's id; an answer that is sound alone tells it nowhere else.", (("takeTurn", "200"),)),
    "X-Conversation-Id": ("The conversation's id, likewise.", (("takeTurn", "200"),)),
    "Server-Timing": ("Milliseconds a stage, where they are known before the answer begins.", (("takeTurn", "200"),)),
    "Location": ("What was made.", (("openSession", "201"), ("openClip", "202"))),
    "ETag": (
        "The state that is told.",
        (
            ("openSession", "201"),
            ("addCandidates", "204"),
            ("openClip", "202"),
            ("getClip", "200"),
            ("getSpeech", "200"),
        ),
    ),
    "Accept-Ranges": ("Whether parts can be asked for.", (("getSpeech", "200"),)),
    "Content-Range": ("Which part it is.", (("getSpeech", "206"), ("getSpeech", "416"))),
}
"""What it tells, and the answers that may have it."""

REQUEST_ID: Json = {
    "description": "Names the request in our log: tell it when you report trouble.",
    "required": True,
    "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
}
COUNTED = {"takeTurn", "transcribe", "speak", "openSession", "openClip"}
"""Operations of which there is a limit."""
RATE_LIMIT: Json = {
    "RateLimit-Policy": {
        "description": 'The limits that were asked about: `"turns";q=10;w=60` is ten within any minute.',
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": 'What is left of each: `"turns";r=7;t=12` is seven, and more in 12 seconds.',
        "schema": {"type": "string"},
    },
}
RETRY_AFTER: Json = {"description": "Seconds to wait before the next try.", "schema": {"type": "integer", "minimum": 1}}
RETRIED = {"202", "409", "429", "503"}
"""Statuses that may say when to ask again."""


def annotated(paths: Json) -> Json:
    """*paths* with all this in their operations."""
    for path, operations in paths.items():
        for method, operation in operations.items():
            name = NAMES[f"{method} {path}"]
            operation["operationId"] = name
            for status, response in operation["responses"].items():
                response["headers"] = _headers(name, status) | response.get("headers", {})
                if links := LINKS.get((name, status)):
                    response["links"] = {to: {"operationId": to, "parameters": given} for to, given in links.items()}
    return paths


def _headers(name: str, status: str) -> Json:
    told = {
        header: {"description": description, "schema": {"type": "string"}}
        for header, (description, answers) in HEADERS.items()
        if (name, status) in answers
    }
    retried = {"Retry-After": RETRY_AFTER} if status in RETRIED else {}
    return {"X-Request-Id": REQUEST_ID} | retried | (RATE_LIMIT if name in COUNTED else {}) | told
