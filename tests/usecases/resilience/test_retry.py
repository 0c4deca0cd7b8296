"""What is asked again, how often, and when."""

from collections.abc import Awaitable, Callable

import pytest

from voice_core.domain.errors import Misconfigured, NotFound, StageFailed, Throttled, VoiceError
from voice_core.usecases.resilience.retry import IN_HAND, RetryBudget, retry

BROKEN = StageFailed("It broke.")


class Asked:
    """Fails with *errors*, one a time, and then works."""

    def __init__(self, *errors: VoiceError) -> None:
        self._errors = [*errors]
        self.times = 0

    async def __call__(self) -> str:
        self.times += 1
        if self._errors:
            raise self._errors.pop(0)
        return "well"


def tried(ask: Callable[[], Awaitable[str]], retries: RetryBudget | None = None, **changes: float) -> Awaitable[str]:
    return retry(ask, retries=retries or RetryBudget(), tries=3, pause_seconds=0.0, **changes)


async def test_what_breaks_is_asked_again() -> None:
    """As often as there are tries."""
    ask = Asked(BROKEN, BROKEN)
    assert await tried(ask) == "well"
    assert ask.times == 3
    with pytest.raises(StageFailed):
        await tried(Asked(BROKEN, BROKEN, BROKEN))


@pytest.mark.parametrize("error", [Misconfigured("Who are you?"), NotFound("Gone.")], ids=lambda error: error.code)
async def test_an_answer_is_not_asked_for_again(error: VoiceError) -> None:
    """It would be the same."""
    ask = Asked(error)
    with pytest.raises(type(error)):
        await tried(ask)
    assert ask.times == 1


async def test_a_provider_that_wants_a_rest_has_it() -> None:
    """One that asks for longer than there is time for is not asked again."""
    ask = Asked(Throttled("Slow down.", retry_after=7))
    with pytest.raises(Throttled):
        await tried(ask, longest_seconds=1.0)
    assert ask.times == 1


async def test_a_process_has_only_so_many() -> None:
    """When all that it asks fails, it asks little more than once each: at most a tenth, and a few."""
    retries, times = RetryBudget(), 0
    for _ in range(200):
        ask = Asked(BROKEN, BROKEN, BROKEN)
        with pytest.raises(StageFailed):
            await tried(ask, retries)
        times += ask.times
    assert 200 < times <= 200 + 20 + IN_HAND


async def test_success_earns_them_back() -> None:
    """Ten requests are worth one more try."""
    retries = RetryBudget()
    while retries.spend():
        pass
    for _ in range(11):
        await tried(Asked(), retries)
    assert retries.spend()
    assert not retries.spend()
