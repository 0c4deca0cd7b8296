"""A pool of decoder processes, and the events that it reports."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from voice_core.audio.decoder_process.pool import DecoderPool


@dataclass
class Events:
    """The events that a pool reported."""

    names: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def report(self, name: str, attributes: Mapping[str, Any]) -> None:
        self.names.append(name)
        self.reasons.append(str(attributes.get("reason", "")))


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
async def pool(events: Events) -> AsyncIterator[DecoderPool]:
    pool = DecoderPool(events.report)
    yield pool
    await pool.close()
