"""Media types and their parameters in request headers."""

from collections.abc import Mapping

from python_multipart.multipart import parse_options_header

from voice_core.domain.errors import InvalidInput

MOST_PARAMETERS = 100
"""Most parameters of one header: the parser's time grows with the square of their number."""


def media_type(header: str | bytes | None) -> tuple[bytes, Mapping[bytes, bytes]]:
    """The media type in *header* and its parameters, with names in lower case; it reads ``Content-Disposition`` too.

    Raises:
        InvalidInput: *header* has more than `MOST_PARAMETERS`.
    """
    header = header.decode("latin-1") if isinstance(header, bytes) else header or ""
    if header.count(";") > MOST_PARAMETERS:
        raise InvalidInput(f"A header may have at most {MOST_PARAMETERS} parameters.")
    return parse_options_header(header)
