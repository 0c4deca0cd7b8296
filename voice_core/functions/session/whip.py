"""What RFC 9725 (WHIP) asks of answers and patches."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from starlette.responses import Response

from voice_core.functions.http.problems import PreconditionFailed, PreconditionRequired, Unprocessable
from voice_core.functions.session.responses import named

if TYPE_CHECKING:
    from voice_core.domain.session import IceServer
    from voice_core.usecases.session.opened import OpenSession

FRAGMENT = "application/trickle-ice-sdpfrag"
"""RFC 8840."""

_UFRAG = re.compile(r"^a=ice-ufrag:(\S+)", re.MULTILINE)


def whip_answer(opened: "OpenSession") -> Response:
    response = Response(opened.live.peer.answer, 201, named(opened), "application/sdp")
    for link in _links(opened):
        response.headers.append("Link", link)
    return response


def check_fragment(fragment: str, ice: str, if_match: str | None, current: str) -> None:
    """Let nothing pass but candidates of this ICE session (RFC 9725, 4.3).

    Raises:
        PreconditionRequired: it does not say which ICE session it is about.
        PreconditionFailed: it is about another one.
        Unprocessable: ``ice-restart-unsupported``. The session goes on as it was.
    """
    if if_match is None:
        raise PreconditionRequired("Send If-Match with the session's ETag.")
    if if_match.strip() not in ("*", current):
        raise PreconditionFailed("If-Match names another ICE session.")
    named = _UFRAG.search(fragment)
    if named is not None and named[1] != ice:
        raise Unprocessable("ICE is not restarted here: open another session.", code="ice-restart-unsupported")


def _links(opened: "OpenSession") -> Iterator[str]:
    """RFC 9725, 4.6."""
    for server in opened.servers:
        for url in server.urls:
            yield f'<{url}>; rel="ice-server"{_credentials(server)}'


def _credentials(server: "IceServer") -> str:
    if not server.username:
        return ""
    return f'; username="{server.username}"; credential="{server.credential}"; credential-type="password"'
