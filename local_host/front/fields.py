"""The header fields of a message when it passes the front."""

from collections.abc import Iterator
from uuid import uuid4

import h11

Field = tuple[bytes, bytes]

INVOCATION_ID = b"x-ms-invocation-id"
"""The same in each attempt of a request."""

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Fields of one connection (RFC 9110, 7.6.1)."""

REPLACED = frozenset({b"expect", b"host", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", INVOCATION_ID})
"""Fields of a request that the front sets itself, or answers."""

WITH_BODY = (b"PATCH", b"POST", b"PUT")
"""Methods whose requests state the length of their body, even if there is none."""


def value(message: h11.Request | h11.Response, name: bytes) -> bytes:
    """The first field *name*, in lower case; empty without it."""
    return next((value for field, value in message.headers if field == name), b"")


def is_chunked(message: h11.Request | h11.Response) -> bool:
    return b"chunked" in value(message, b"transfer-encoding").lower()


def has_body(request: h11.Request) -> bool:
    return is_chunked(request) or value(request, b"content-length").strip() not in (b"", b"0")


def states_two_lengths(request: h11.Request) -> bool:
    """Whether a chunked request has a Content-Length as well, which then counts for nothing (RFC 9112, 6.3)."""
    return is_chunked(request) and value(request, b"content-length") != b""


def onward(request: h11.Request, worker: bytes, client: str) -> h11.Request:
    """*request* as *worker*, a host with its port, receives it; *client* is the address of its sender."""
    fields = list(_passed(request, REPLACED))
    if is_chunked(request):
        fields = [(b"X-Content-Length" if _is_length(name) else name, value) for name, value in fields]
        fields.append((b"Transfer-Encoding", b"chunked"))
    elif request.method in WITH_BODY and not value(request, b"content-length"):
        fields.append((b"Content-Length", b"0"))
    if host := value(request, b"host"):
        fields.append((b"X-Forwarded-Host", host))
    fields += [(b"X-Forwarded-For", client.encode()), (b"X-Forwarded-Proto", b"http")]
    fields.append((INVOCATION_ID, str(uuid4()).encode()))
    return h11.Request(method=request.method, target=request.target, headers=[(b"Host", worker), *fields])


def back(response: h11.Response, *, closes: bool) -> h11.Response:
    """*response* as the client receives it; *closes* announces the end of the connection."""
    fields = list(_passed(response, frozenset()))
    if closes:
        fields.append((b"Connection", b"close"))
    return h11.Response(status_code=response.status_code, headers=fields, reason=response.reason)


def _passed(message: h11.Request | h11.Response, replaced: frozenset[bytes]) -> Iterator[Field]:
    """The fields of *message* that are meant for its receiver, in their original spelling."""
    listed = {
        name.strip().lower() for field, value in message.headers if field == b"connection" for name in value.split(b",")
    }
    for name, value in message.headers.raw_items():
        if name.lower() not in HOP_BY_HOP | listed | replaced:
            yield name, value


def _is_length(name: bytes) -> bool:
    return name.lower() == b"content-length"
