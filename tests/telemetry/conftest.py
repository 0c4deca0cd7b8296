"""Telemetry of the whole product, kept in memory."""

from collections.abc import Iterator

import pytest

from tests.telemetry.recording import Recording, recording


@pytest.fixture
def recorded() -> Iterator[Recording]:
    """The telemetry that is reported during a test."""
    with recording() as kept:
        yield kept
