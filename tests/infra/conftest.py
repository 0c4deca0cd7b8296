"""A simulated Azure for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.azure import Azure, azure


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Azure]:
    with azure(tmp_path) as one:
        yield one
