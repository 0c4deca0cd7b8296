"""Content-Encoding of requests (RFC 9110, 8.4): bodies are read as they are."""

from voice_core.functions.http.problems import UNENCODED, WrongContentEncoding
from voice_core.functions.http.request import HttpRequest

METHODS = ("PATCH", "POST", "PUT")
"""Methods whose bodies are read."""

LONGEST_HEADER = 100
"""Characters of a ``Content-Encoding`` that may list ``identity``."""


def check_encoding(request: HttpRequest) -> None:
    """Refuse a body that is compressed. ``identity``, also in a list, is a body as it is.

    Raises:
        WrongContentEncoding: ``content-encoding-unsupported``.
    """
    header = ",".join(request.headers.getlist("content-encoding"))
    if request.method not in METHODS or not header:
        return
    names = header.lower().split(",") if len(header) <= LONGEST_HEADER else [header]
    if any(name.strip() not in ("", UNENCODED) for name in names):
        raise WrongContentEncoding("Send the body as it is, without Content-Encoding: no compressed body is read.")
