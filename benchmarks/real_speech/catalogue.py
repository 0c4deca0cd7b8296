"""The recordings, their speakers, and the words that are said."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CATALOGUE = Path(__file__).with_name("catalogue.json")


@dataclass(frozen=True, slots=True)
class Recording:
    """A file in a package."""

    file: str
    """Its path below the package's top folder."""
    text: str
    """The words that are said."""
    speaker: str = ""
    """The name of the speaker; empty where the source has none, so that it may be one of the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A package with recordings."""

    name: str
    registry: str
    """pypi-sdist, pypi-wheel, npm or debian."""
    package: str
    version: str
    sha256: str
    """The SHA-256 of the package's archive."""
    licence: str
    texts: str
    """The origin of the texts."""
    recordings: tuple[Recording, ...]

    @property
    def speakers(self) -> frozenset[str]:
        return frozenset(recording.speaker for recording in self.recordings if recording.speaker)


def sources() -> tuple[Source, ...]:
    """All sources, in the order of the catalogue."""
    document: list[dict[str, Any]] = json.loads(CATALOGUE.read_text("utf-8"))
    return tuple(
        Source(**source | {"recordings": tuple(Recording(**recording) for recording in source["recordings"])})
        for source in document
    )
