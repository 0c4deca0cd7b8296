"""WHIP (RFC 9725): the response to an offer, and the check of ICE fragments."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from starlette.responses import Response

from voice_core.functions.http.problems import PreconditionFailed, PreconditionRequired, Unprocessable
from voice_core.functions.session.responses import session_headers

if TYPE_CHECKING:
    from voice_core.domain.session import IceServer
    from voice_core.usecases.session.open_session import OpenSession

FRAGMENT = "application/trickle-ice-sdpfrag"
"""The media type of trickle ICE (RFC 8840)."""

_UFRAG = re.compile(r"^a=ice-ufrag:(\S+)", re.MULTILINE)


def whip_response(opened: "OpenSession") -> Response:
    response = Response(opened.live.peer.answer, 201, session_headers(opened), "application/sdp")
    for link in _links(opened):
        response.headers.append("Link", link)
    return response


def check_fragment(fragment: str, ice: str, if_match: str | None, current: str) -> None:
    """Accept only a *fragment* with candidates of the ICE session *ice*, whose ETag is *current* (RFC 9725, 4.3).

    Raises:
        PreconditionRequired: there is no If-Match, so the ICE session is not named.
        PreconditionFailed: If-Match names another ICE session.
        Unprocessable: ``ice-restart-unsupported``. The session is unchanged.
    """
    if if_match is None:
        raise PreconditionRequired("Send If-Match with the session's ETag.")
    if if_match.strip() not in ("*", current):
        raise PreconditionFailed("If-Match names another ICE session.")
    ufrag = _UFRAG.search(fragment)
    if ufrag is not None and ufrag[1] != ice:
        raise Unprocessable("ICE restart is not supported: open another session.", code="ice-restart-unsupported")


def _links(opened: "OpenSession") -> Iterator[str]:
    """The Link headers of the ICE servers (RFC 9725, 4.6)."""
    for server in opened.servers:
        for url in server.urls:
            yield f'<{url}>; rel="ice-server"{_credentials(server)}'


def _credentials(server: "IceServer") -> str:
    if not server.username:
        return ""
    return f'; username="{server.username}"; credential="{server.credential}"; credential-type="password"'
