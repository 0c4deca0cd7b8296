"""An SDP description as its media sections and their attributes (RFC 8866)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from voice_core.domain.errors import InvalidInput

MAX_SECTIONS = 500
"""Most media sections of an offer; a browser's has three."""

_MEDIA_LINE = re.compile(r"m=(\S{1,32}) (\d{1,5})(?:/\d{1,5})? (\S{1,64}) (\S.*)")

Attributes = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """One media section: its first line, and the values of its attributes by their names.

    Sections are compared by identity: an offer may have two that are equal.
    """

    kind: str
    port: int
    profile: str
    formats: str
    attributes: Attributes

    def first(self, name: str) -> str | None:
        """The value of the first attribute *name*; empty for a flag."""
        return next(iter(self.attributes.get(name, ())), None)

    @property
    def mid(self) -> str:
        """The section's identification (RFC 5888); empty when it has none."""
        return self.first("mid") or ""

    @property
    def stopped(self) -> bool:
        """Whether the port says that the section is not in use: 0, except in a bundle-only section (RFC 9143, 6)."""
        return self.port == 0 and self.first("bundle-only") is None

    def codecs(self) -> dict[str, str]:
        """The payload types of the section by codec, as ``opus/48000/2``: the first of each, in lower case."""
        found: dict[str, str] = {}
        for value in self.attributes.get("rtpmap", ()):
            payload_type, _, codec = value.partition(" ")
            found.setdefault(codec.strip().lower(), payload_type)
        return found

    def __str__(self) -> str:
        return f"the section “m={self.kind}”" + (f" (mid {self.mid[:32]})" if self.mid else "")


@dataclass(frozen=True, slots=True)
class Description:
    """A session description."""

    attributes: Attributes
    """Those of the session, which apply to all sections."""
    sections: Sequence[Section]


def description(sdp: str) -> Description:
    """The description in the text *sdp*.

    Raises:
        InvalidInput: ``offer-invalid``.
    """
    head: list[str] = []
    media: list[list[str]] = []
    for line in sdp.splitlines():
        if line.startswith("m="):
            media.append([line])
        else:
            (media[-1] if media else head).append(line)
    if len(media) > MAX_SECTIONS:
        raise InvalidInput(f"An offer may have at most {MAX_SECTIONS} media sections.", code="offer-invalid")
    return Description(_attributes(head), [_section(first, lines) for first, *lines in media])


def _section(first: str, lines: Iterable[str]) -> Section:
    found = _MEDIA_LINE.fullmatch(first)
    if found is None:
        raise InvalidInput(f"This line of the offer is not SDP: {first[:80]!r}.", code="offer-invalid")
    kind, port, profile, formats = found.groups()
    return Section(kind, int(port), profile, formats.strip(), _attributes(lines))


def _attributes(lines: Iterable[str]) -> Attributes:
    found: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("a="):
            name, _, value = line[2:].partition(":")
            found.setdefault(name.strip(), []).append(value.strip())
    return found
