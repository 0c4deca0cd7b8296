"""SDP as text with sections that can be changed, moved and removed."""

import re
from collections.abc import Callable, Iterable

TRANSPORT = ("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:")
CANDIDATES = ("a=candidate:", "a=end-of-candidates")


class Sdp:
    """An SDP text: the lines of its head, and of each media section."""

    def __init__(self, text: str) -> None:
        head, *media = re.split(r"^(?=m=)", text, flags=re.MULTILINE)
        self.head = head.splitlines()
        self.sections = [section.splitlines() for section in media]

    def __str__(self) -> str:
        return "".join(f"{line}\r\n" for lines in (self.head, *self.sections) for line in lines)

    def index(self, kind: str) -> int:
        """The place of the first section of *kind*."""
        return next(n for n, section in enumerate(self.sections) if section[0].startswith(f"m={kind} "))

    def section(self, kind: str) -> list[str]:
        """The lines of the first section of *kind*."""
        return self.sections[self.index(kind)]

    def remove(self, *prefixes: str, kind: str = "") -> "Sdp":
        """Without lines that begin with one of *prefixes*: in the section of *kind*, or everywhere."""
        for lines in [self.section(kind)] if kind else [self.head, *self.sections]:
            lines[:] = [line for line in lines if not line.startswith(prefixes)]
        return self

    def replace(self, kind: str, change: Callable[[str], str]) -> "Sdp":
        """With *change* of each line in the section of *kind*."""
        lines = self.section(kind)
        lines[:] = [change(line) for line in lines]
        return self

    def port(self, kind: str, port: int) -> "Sdp":
        """With *port* in the section of *kind*."""
        lines = self.section(kind)
        lines[0] = re.sub(r" \d+ ", f" {port} ", lines[0], count=1)
        return self

    def add(self, lines: Iterable[str], *, at: int | None = None, bundled: bool = True) -> "Sdp":
        """With another section, at the end or at the place *at*, with the transport of the first."""
        transport = [line for line in self.sections[0] if line.startswith((*TRANSPORT, *CANDIDATES))]
        section = [*lines, *(transport if bundled else ())]
        place = len(self.sections) if at is None else at
        self.sections.insert(place, section)
        return self.group() if bundled else self

    def group(self) -> "Sdp":
        """With a BUNDLE group of all sections in use that have a mid, in their order."""
        self.remove("a=group:BUNDLE")
        mids = [line.removeprefix("a=mid:") for section in self.sections for line in section if line[:6] == "a=mid:"]
        self.head.append(f"a=group:BUNDLE {' '.join(mids)}")
        return self

    def only(self, *kinds: str) -> "Sdp":
        """With the first section of each of *kinds*, in this order."""
        self.sections = [self.section(kind) for kind in kinds]
        return self.group()

    @property
    def ports(self) -> list[tuple[str, int]]:
        """Kind and port of each section."""
        found = (re.match(r"m=(\S+) (\d+)", section[0]) for section in self.sections)
        return [(match[1], int(match[2])) for match in found if match]

    @property
    def bundled(self) -> list[str]:
        """The mids of the BUNDLE group."""
        return next((line.split()[1:] for line in self.head if line.startswith("a=group:BUNDLE")), [])
