"""What counts what people do, and holds them to their limits."""

import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from voice_core.domain.events import Event
from voice_core.domain.limits import DAY_SECONDS, Allowance, Rate
from voice_core.ports.limits import Admissions
from voice_core.settings import Settings
from voice_core.usecases.limits.audio_meter import Charges
from voice_core.usecases.limits.rate_limiter import Admission, LimitRules, admitted_turn
from voice_core.usecases.turn.request import Said

if TYPE_CHECKING:
    from voice_core.usecases.turn.request import TakeTurn


class Quotas:
    """The limits of *settings* in one worker process, on what *store* counts. *clock* gives seconds since 1970."""

    def __init__(self, settings: Settings, store: Admissions, clock: Callable[[], float] = time.time) -> None:
        self.admission = Admission(store, _rules(settings), clock)
        self.charges = Charges(store, clock)

    def charged(self, said: Said) -> Said:
        """*said*, with its sound charged to its user as it is heard."""
        if said.utterance is None:
            return said
        return replace(said, utterance=self.charges.charged(said.user_id, said.utterance))

    def admitted_turn(self, said: Said, take_turn: "TakeTurn") -> AsyncGenerator[Event]:
        """The turn, unless a limit is reached: then that is how it fails."""
        return admitted_turn(said, take_turn, self.admission)

    async def close(self) -> None:
        """Wait for what is being charged."""
        await self.charges.close()


def _rules(settings: Settings) -> LimitRules:
    rates = (
        Rate("turns", settings.turns_per_minute, 60),
        Rate("transcripts", settings.transcripts_per_minute, 60),
        Rate("speeches", settings.speeches_per_minute, 60),
        Rate("sessions", settings.sessions_per_hour, 3600),
        Rate("clips", settings.clips_per_day, DAY_SECONDS),
    )
    return LimitRules(
        rates={rate.kind: rate for rate in rates},
        allowance=Allowance(settings.audio_seconds_per_day),
        when_down=settings.limits_when_down,
    )
