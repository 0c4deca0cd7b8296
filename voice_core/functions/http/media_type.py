"""Media types with their parameters, as callers name them."""

from collections.abc import Mapping

from python_multipart.multipart import parse_options_header

from voice_core.domain.errors import InvalidInput

MOST_PARAMETERS = 100
"""Most parameters of one header: the parser's time grows with their square."""


def media_type(header: str | bytes | None) -> tuple[bytes, Mapping[bytes, bytes]]:
    """What *header* names, and its parameters, both with lower-case names; also a ``Content-Disposition``.

    Raises:
        InvalidInput: it has too many parameters.
    """
    header = header.decode("latin-1") if isinstance(header, bytes) else header or ""
    if header.count(";") > MOST_PARAMETERS:
        raise InvalidInput(f"A header may have at most {MOST_PARAMETERS} parameters.")
    return parse_options_header(header)
