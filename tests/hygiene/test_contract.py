"""The running product keeps its contract: the short form of ``make contract``."""

import pytest

from emulators.azurite import AzuriteMissing, program
from tests.conftest import ROOT
from tests.hygiene.contract import asked

EXAMPLES = 12


async def test_whatever_is_asked_is_answered_by_the_contract() -> None:
    """Hundreds of requests, right and wrong, get answers whose status, type, headers and schema /openapi.json names."""
    try:
        program(ROOT / ".local" / "azurite")
    except AzuriteMissing as missing:
        pytest.skip(str(missing))
    outcome = await asked(EXAMPLES, seed=1, phases=("fuzzing",))

    assert outcome.sound, outcome.told
    assert outcome.requests > 150
    assert {200, 201, 202, 204, 400, 404} <= outcome.statuses, outcome.table()
    assert outcome.server_errors == 0
