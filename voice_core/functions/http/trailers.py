"""Trailers of a chunked request (RFC 9110, 6.5) do not count as its headers.

uvicorn adds them to the headers of a request when it parses with httptools; with h11 it drops them. A caller could set
``X-MS-CLIENT-PRINCIPAL`` in one, after a front end has removed that name from the headers.
"""

from importlib.util import find_spec

from uvicorn.config import HTTP_PROTOCOLS

PROTOCOL = "voice_core.functions.http.httptools_protocol:HttpToolsProtocol"
"""uvicorn loads it when a server starts: the function app's import must not wait for the parser."""


def drop_trailers() -> None:
    """Let no trailer reach the headers of a request, on any server that this process starts from now on."""
    if find_spec("httptools"):
        HTTP_PROTOCOLS.update(auto=PROTOCOL, httptools=PROTOCOL)
