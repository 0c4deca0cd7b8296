"""The running product conforms to its contract: the short form of ``make contract``."""

import pytest

from emulators.azurite import AzuriteMissing, program
from tests.conftest import ROOT
from tests.hygiene.contract import run_schemathesis

EXAMPLES = 12


async def test_responses_conform_to_the_contract() -> None:
    """Hundreds of requests, valid and invalid, get the status, type, headers and schema that /openapi.json names."""
    try:
        program(ROOT / ".local" / "azurite")
    except AzuriteMissing as missing:
        pytest.skip(str(missing))
    outcome = await run_schemathesis(EXAMPLES, seed=1, phases=("fuzzing",))

    assert outcome.passed, outcome.output
    assert outcome.requests > 150
    assert {200, 201, 202, 204, 400, 404} <= outcome.statuses, outcome.table()
    assert outcome.server_errors == 0
